/* SPDX-License-Identifier: MIT */
/* The commands, options, exit codes and environment variables of vgg-infer.
 *
 * A line of help has 80 columns, of which 54 are left for an option's phrase and its choices; a command's
 * help has 40 lines, for which the options of the net and of preprocessing are names there, explained by helps of their
 * own.
 * test_cli.c checks this. */
#include "cli/table.h"

enum {
    CLASSIFY = CLI_CLASSIFY,
    COMPARE = CLI_COMPARE,
    BENCH = CLI_BENCH,
    INFO = CLI_INFO,
    CONVERT = CLI_CONVERT,
    PACK = CLI_PACK,
    EVAL = CLI_EVAL,
    SCAN = CLI_SCAN,
    ALL = CLASSIFY | COMPARE | BENCH | INFO | CONVERT | PACK | EVAL,
    EVERY = ALL | SCAN,
    RUN = CLASSIFY | COMPARE | BENCH | INFO | EVAL, /* those that run a net */
    ONE = RUN & ~BENCH,                             /* in one configuration */
    READ = (RUN & ~INFO) | PACK,                    /* those that read images */
};

/* In the order of the enums that hold them. */
static const char *const formats[] = {"text", "json", "jsonl", "csv", NULL};
static const char *const documents[] = {"text", "json", NULL};
static const char *const scan_formats[] = {"text", "json", "sarif", NULL};
static const char *const isas[] = {"auto", "scalar", "avx2", "avx512", "amx", "neon", NULL};
static const char *const targets[] = {"any", "scalar", "avx2", "avx512", "amx", "neon", NULL};
static const char *const convs[] = {"auto", "exact", "direct", "f2", "f4", "f6", NULL};
static const char *const plans[] = {"auto", "one-shot", "steady", NULL};
static const char *const sandboxes[] = {"auto", "require", "off", NULL};
static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static const char *const weights[] = {"f32", "bf16", "f16", "int8", NULL};
static const char *const interpolations[] = {"bilinear", "bicubic", "nearest", "lanczos", NULL};
static const char *const scores[] = {"auto", "softmax", "sigmoid", "none", NULL};
const char *const cli_channels[] = {"rgb", "bgr", "gray", "1", "3", NULL};
static const char *const orders[] = {"order", "time", NULL};

#define COMMON CLI_GROUP_COMMON
#define NET CLI_GROUP_NET
#define PREPROCESS CLI_GROUP_PREPROCESS
#define RUNNING CLI_GROUP_RUN
#define OTHER CLI_GROUP_OTHER
#define PROGRAM CLI_GROUP_PROGRAM

#define AT(member) offsetof(struct cli_options, member)
#define FLAG(name, letter, group, commands, member, help)                                          \
    {                                                                                              \
        name, letter, group, commands, CLI_FLAG, AT(member), NULL, help, NULL, 0, 0                \
    }
#define TEXT(name, letter, group, commands, member, argument, help)                                \
    {                                                                                              \
        name, letter, group, commands, CLI_TEXT, AT(member), argument, help, NULL, 0, 0            \
    }
#define COUNT(name, letter, group, commands, kind, member, argument, low, high, help)              \
    {                                                                                              \
        name, letter, group, commands, kind, AT(member), argument, help, NULL, low, high           \
    }
#define BYTES(name, group, commands, member, argument, help)                                       \
    {                                                                                              \
        name, 0, group, commands, CLI_BYTES, AT(member), argument, help, NULL, 0, 0                \
    }
#define NUMBER(name, letter, group, commands, member, argument, help)                              \
    {                                                                                              \
        name, letter, group, commands, CLI_NUMBER, AT(member), argument, help, NULL, 0, 0          \
    }
#define RGB(name, member, help)                                                                    \
    {                                                                                              \
        name, 0, PREPROCESS, RUN | PACK, CLI_RGB, AT(member), "X,Y,Z", help, NULL, 0, 0            \
    }
#define CHOICE(name, letter, group, commands, kind, member, argument, choices, help)               \
    {                                                                                              \
        name, letter, group, commands, kind, AT(member), argument, help, choices, 0, 0             \
    }

const struct cli_option cli_option_table[] = {
    TEXT("output", 'o', COMMON, RUN | SCAN, output, "FILE", "write the results to FILE"),
    TEXT("output", 'o', COMMON, CONVERT, output, "FILE",
         "the file to write: .pth, .pt or .safetensors"),
    TEXT("output", 'o', COMMON, PACK, output, "FILE", "the packed file to write, as net.vgg"),
    CHOICE("format", 'f', COMMON, CLASSIFY | BENCH, CLI_CHOICE, format, "FORMAT", formats,
           "format of the results"),
    CHOICE("format", 'f', COMMON, COMPARE | INFO | EVAL, CLI_CHOICE, format, "FORMAT", documents,
           "format of the results"),
    CHOICE("format", 'f', COMMON, PACK, CLI_CHOICE, format, "FORMAT", documents,
           "format of the int8 report"),
    CHOICE("format", 'f', COMMON, SCAN, CLI_CHOICE, format, "FORMAT", scan_formats,
           "format of the results"),
    TEXT("allow", 0, COMMON, SCAN, allow, "NAME,...", "harmless names, too: __main__.Net,timm.*"),
    FLAG("trace", 0, COMMON, SCAN, trace, "print every opcode of every pickle"),
    COUNT("topk", 'k', COMMON, CLASSIFY, CLI_COUNT, topk, "N", 1, 1000000,
          "show the N most probable classes (default 5)"),
    COUNT("topk", 'k', COMMON, EVAL, CLI_COUNT, topk, "N", 1, 1000000,
          "count as right if among the N best (default 5)"),
    TEXT("labels", 'l', COMMON, CLASSIFY | EVAL | PACK, labels, "FILE|SET",
         "class names, one per line; or cifar10, mnist ..."),
    TEXT("labels-file", 0, COMMON, EVAL, labels_file, "FILE",
         "ground truth: lines of an image in FOLDER and a class"),
    CHOICE("weights", 0, COMMON, PACK, CLI_CHOICE, weights, "TYPE", weights, "type of the weights"),
    TEXT("calibrate", 0, COMMON, PACK, calibrate, "FOLDER",
         "for int8: representative images to calibrate with"),
    COUNT("images", 0, COMMON, PACK, CLI_COUNT, image_limit, "N", 1, 1000000,
          "use N images of FOLDER at most (default 256)"),
    CHOICE("for", 0, COMMON, PACK, CLI_CHOICES, for_list, "ISA,...", targets, "prepack for"),
    COUNT("threads", 't', COMMON, ONE | PACK, CLI_COUNT, threads, "N", 1, 1024,
          "number of threads (default: all available CPUs)"),
    COUNT("threads", 't', COMMON, BENCH, CLI_COUNTS, threads_list, "N,...", 1, 1024,
          "number of threads (default: all available CPUs)"),
    COUNT("batch", 'b', COMMON, INFO, CLI_COUNT, batch, "N", 1, 4096,
          "plan for N images per run (default 1)"),
    COUNT("batch", 'b', COMMON, EVAL, CLI_COUNT, batch, "N", 1, 4096, "images per run (default 8)"),
    COUNT("batch", 'b', COMMON, BENCH, CLI_COUNTS, batch_list, "N,...", 1, 4096,
          "images per run (default 1)"),
    FLAG("nodes", 0, COMMON, COMPARE, nodes, "compare all nodes that have a file, not only logits"),
    FLAG("images", 0, COMMON, COMPARE, images, "compare preprocessing too (IMAGEs or golden.json)"),
    NUMBER("rtol", 0, COMMON, COMPARE, rtol, "X",
           "tolerance relative to a node's maximum (default 1e-5)"),
    COUNT("runs", 0, COMMON, BENCH, CLI_COUNT, runs, "N", 1, 100000,
          "time N runs (default: until the median is stable)"),
    NUMBER("min-time", 0, COMMON, BENCH, min_time, "SECONDS",
           "time runs for at least SECONDS (default 0.5)"),
    NUMBER("max-time", 0, COMMON, BENCH, max_time, "SECONDS",
           "stop a configuration after SECONDS (default 10)"),
    FLAG("layers", 0, COMMON, BENCH, layers, "report each layer and compare it with the roofline"),
    CHOICE("sort", 0, COMMON, BENCH, CLI_CHOICE, sort, "BY", orders, "sort layers by"),
    TEXT("plot", 0, COMMON, BENCH, plot, "FILE.png", "draw the layers of one configuration"),
    FLAG("tensors", 0, COMMON, INFO, tensors, "list the tensors in the file"),
    TEXT("write-spec", 0, COMMON, INFO, write_spec, "FILE",
         "write the description of the net as JSON, to be edited"),
    FLAG("plan", 0, COMMON, INFO, plan, "run the net; show how each step is computed"),
    FLAG("help", 'h', COMMON, EVERY, help, "show this help"),

    TEXT("model", 'm', NET, ALL, model, "FILE", "the checkpoint, instead of the operand MODEL"),
    TEXT("key", 0, NET, ALL, key, "NAME", "which net in the file, as in ema.module"),
    TEXT("spec", 0, NET, RUN | PACK, spec, "FILE",
         "JSON description (default: .json beside MODEL)"),
    TEXT("cfg", 0, NET, RUN | PACK, cfg, "LIST", "layers: 64,64,M,128 (M max pool, D dropout)"),
    TEXT("padding", 0, NET, RUN | PACK, padding, "N", "padding of the convolutions"),
    TEXT("eps", 0, NET, RUN | PACK, eps, "X", "eps of BatchNorm"),
    TEXT("activation", 0, NET, RUN | PACK, activation, "CLASS", "activation after the layers"),
    TEXT("pool", 0, NET, RUN | PACK, pool, "CLASS", "pools between the layers"),
    FLAG("strict", 0, NET, RUN | PACK, strict, "refuse a net of which something is assumed"),
    FLAG("dense", 0, NET, CLASSIFY | BENCH | INFO, dense,
         "no crop: average the class scores of all positions"),

    TEXT("preset", 0, PREPROCESS, RUN | PACK, preset, "NAME",
         "auto, imagenet, features, cifar, caffe or vgg-face"),
    COUNT("size", 0, PREPROCESS, RUN, CLI_SIZE, size, "N|HxW", 1, 65535,
          "input size in pixels (default: the model's)"),
    COUNT("resize", 0, PREPROCESS, RUN | PACK, CLI_EXTENT, resize, "SIZE", 1, 65535,
          "shorter side N, or exactly HxW; none: do not resize"),
    COUNT("crop", 0, PREPROCESS, RUN | PACK, CLI_EXTENT, crop, "SIZE", 1, 65535,
          "centre crop N or HxW, the input size; none: no crop"),
    CHOICE("channels", 0, PREPROCESS, RUN | PACK, CLI_CHOICE, channels, "KIND", cli_channels,
           "order or gray"),
    FLAG("no-normalize", 0, PREPROCESS, RUN | PACK, no_normalize,
         "scale to 0...1 only, as ToTensor() alone"),
    CHOICE("interpolation", 0, PREPROCESS, RUN | PACK, CLI_CHOICE, interpolation, "NAME",
           interpolations, "filter"),
    RGB("mean", mean, "subtracted from pixels of 0...1, or of 0...255"),
    RGB("std", std, "pixels are divided by it after that"),
    BYTES("max-pixels", PREPROCESS, READ, max_pixels, "N",
          "refuse larger images (default 178956970 pixels)"),
    BYTES("max-memory", PREPROCESS, READ, max_memory, "SIZE",
          "memory to decode an image, as 2G (default 512M)"),

    CHOICE("isa", 0, RUNNING, ONE | PACK, CLI_CHOICE, isa, "ISA", isas, "instruction set"),
    CHOICE("isa", 0, RUNNING, BENCH, CLI_CHOICES, isa_list, "ISA,...", isas, "instruction set"),
    CHOICE("conv", 0, RUNNING, ONE, CLI_CHOICE, conv, "ALGORITHM", convs, "convolution"),
    CHOICE("conv", 0, RUNNING, BENCH, CLI_CHOICES, conv_list, "ALG,...", convs, "convolution"),
    FLAG("exact", 0, RUNNING, RUN, exact, "direct convolution and Winograd F(2x2) only"),
    CHOICE("plan-for", 0, RUNNING, CLASSIFY | BENCH | INFO, CLI_CHOICE, plan_for, "GOAL", plans,
           "one run or many"),
    FLAG("low-memory", 0, RUNNING, RUN & ~COMPARE, low_memory,
         "use as little memory as possible; slower"),

    {"input", 'i', OTHER, CLASSIFY, CLI_OPERAND, 0, "IMAGE", "an image, like an operand", NULL, 0,
     0},
    CHOICE("scores", 0, OTHER, CLASSIFY | EVAL, CLI_CHOICE, scores, "KIND", scores,
           "scores of classes"),
    TEXT("save-logits", 0, OTHER, CLASSIFY, save_logits, "FILE",
         "save logits as .npy, float32 [images, classes]"),
    TEXT("save-input", 0, OTHER, CLASSIFY, save_input, "FILE",
         "save the net's input as .npy, float32 [images,c,h,w]"),
    FLAG("time", 0, OTHER, CLASSIFY, time, "report times and peak memory"),
    FLAG("verify", 0, OTHER, ALL, verify, "check the file's SHA-256 (in its name) and CRC-32"),
    FLAG("verbose", 'v', OTHER, EVERY, verbose, "log what is found in files and decided from it"),
    CHOICE("sandbox", 0, OTHER, EVERY, CLI_CHOICE, sandbox, "WHEN", sandboxes,
           "restrict the process"),

    FLAG("version", 'V', PROGRAM, EVERY, version, "show the version"),
    FLAG("licenses", 0, PROGRAM, CLASSIFY, licenses, "show the licenses of all parts"),
    CHOICE("completion", 0, PROGRAM, CLASSIFY, CLI_CHOICE, completion, "SHELL", shells,
           "completion script"),
    {NULL, 0, COMMON, 0, CLI_FLAG, 0, NULL, NULL, NULL, 0, 0},
};

const struct cli_command_entry cli_command_table[] = {
    {CLI_CLASSIFY, "classify", NULL, "[OPTIONS] [MODEL] IMAGE...", "classify images (the default)",
     "Classify images with a VGG checkpoint. IMAGE is a JPEG or PNG file, a .npy array\n"
     "of the net's input, or - for standard input. Without MODEL the bundled net runs."},
    {CLI_EVAL, "eval", "val", "[OPTIONS] [MODEL] FOLDER", "measure accuracy on labelled images",
     "Measure top-1 and top-k accuracy and loss. FOLDER has one subfolder per class,\n"
     "named by label or in class order (torchvision's ImageFolder), or images that\n"
     "--labels-file lists. Without MODEL the small bundled net is used."},
    {CLI_INFO, "info", NULL, "[OPTIONS] MODEL", "describe a checkpoint and its net",
     "Describe a checkpoint: its net, layers and sizes."},
    {CLI_COMPARE, "compare", NULL, "[OPTIONS] MODEL FOLDER [IMAGE...]",
     "compare with the results of torchvision",
     "Compare with what torchvision computed. FOLDER holds input.npy, logits.npy and\n"
     "for --nodes one .npy file per node, as tools/scripts/golden.py writes them."},
    {CLI_BENCH, "bench", NULL, "[OPTIONS] [MODEL] [IMAGE]", "benchmark a net",
     "Benchmark a net on IMAGE or on random input. All combinations of the options\n"
     "that take lists are timed, as in -t 1,2 -b 1,8."},
    {CLI_PACK, "pack", NULL, "[OPTIONS] MODEL -o FILE", "write a packed file for deployment",
     "Write a packed file: one file with the net, labels and preprocessing, BatchNorm\n"
     "folded and weights prepacked. It is used like a checkpoint and loads faster.\n"
     "Types bf16 and f16 halve the file; int8 quantizes weights and activations."},
    {CLI_CONVERT, "convert", NULL, "[OPTIONS] MODEL -o FILE",
     "write the tensors as .pth or .safetensors",
     "Write a checkpoint's tensors to a PyTorch (.pth, .pt) or safetensors file: the\n"
     "same names, types and values."},
    {CLI_SCAN, "scan", NULL, "[OPTIONS] FILE|FOLDER...",
     "find code that loading a file with Python would run",
     "Report what Python would import and call when it loads FILE, or any file in\n"
     "FOLDER, with torch.load, pickle, joblib or NumPy. Nothing is executed. Exit code\n"
     "0: harmless names only, 1: findings, 3: a file, or a part of it, is not judged."},
    {CLI_HELP, "help", NULL, "[COMMAND | net | preprocessing]", "show the help of a command",
     "Show the help of a command, of the options of the net or of preprocessing, or of\n"
     "the program."},
    {0, NULL, NULL, NULL, NULL, NULL},
};

static const char net_text[] =
    "A net is described by, strongest first: these options; the modules in the file;\n"
    "a .json beside MODEL; a published net of the same shapes; names and shapes.\n"
    "What none of them shows is assumed, and named in the line \"assumed\". The options\n"
    "--padding, --eps, --activation and --pool set one property of all layers:\n"
    "\n"
    "  --padding     of convolutions larger than 1x1: --padding 0\n"
    "  --activation  ReLU, LeakyReLU(0.1), ELU(1), GELU, SiLU, Tanh, Sigmoid,\n"
    "                Hardswish, ReLU6 or none: --activation 'LeakyReLU(0.1)'\n"
    "  --pool        kernel, stride and padding: --pool 'AvgPool2d(3, 2, 1)'\n"
    "  --cfg         a list as of make_layers: channels, M, A (average), D (dropout)\n"
    "\n"
    "vgg-infer info MODEL lists what sets each assumption, and what cannot be set;\n"
    "with --write-spec net.json it writes the description: edit it, and give it with\n"
    "--spec, or lay it beside MODEL.\n";

static const char preprocess_text[] =
    "Images become input as by torchvision's transforms of a PIL image, bit for bit:\n"
    "Grayscale, Resize, CenterCrop, ToTensor, Normalize. The net's description says\n"
    "how, or --preset, which replaces all of it. Each other option then changes one\n"
    "property and keeps the rest; their order does not matter:\n"
    "\n"
    "  --size    sets the crop, and scales the resize in the same proportion\n"
    "  --resize  N keeps the aspect, as Resize(N); a larger crop becomes N.\n"
    "            HxW squashes, as Resize((H, W)): the input then is HxW, but a crop\n"
    "            that is smaller than the description's resize stays (224 of 256)\n"
    "  --crop    as CenterCrop; without a crop every image keeps its resized size.\n"
    "            Excludes --size\n"
    "  --mean, --std  one number or three, in the order R, G, B, also with bgr;\n"
    "            a net of one channel uses the first. --no-normalize excludes them\n"
    "  --channels gray: as Grayscale, for each input channel of the net. 1 and 3 are\n"
    "            gray and rgb, and refuse a net with another number of channels\n"
    "\n"
    "A .npy array of float32 [channels,height,width] is the input itself. To repeat\n"
    "a script with Resize((64, 64)) and ToTensor(): --resize 64x64 --no-normalize\n";

const struct cli_topic cli_topic_table[] = {
    {"net", CLI_GROUP_NET, net_text},
    {"preprocessing", CLI_GROUP_PREPROCESS, preprocess_text},
    {NULL, CLI_GROUPS, NULL},
};

const struct cli_topic *cli_topic_find(enum cli_group group)
{
    const struct cli_topic *topic = cli_topic_table;
    while (topic->name != NULL && topic->group != group) {
        topic++;
    }
    return topic->name != NULL ? topic : NULL;
}

const struct cli_exit_entry cli_exit_table[] = {
    {0, "success"},
    {1, "an image failed, a comparison differs, a scan has findings, output failed"},
    {2, "wrong usage"},
    {3, "the model cannot be used, or the scanned file not be judged"},
    {4, "out of memory"},
    {0, NULL},
};

const struct cli_variable_entry cli_variable_table[] = {
    {"VGG_THREADS", "default of --threads", NULL},
    {"VGG_ISA", "instruction set limit: scalar, avx2, avx512, amx, neon",
     "Any other value, and an instruction set that this machine does not have, is wrong usage."},
    {"VGG_MODELS", "folder of the bundled net", NULL},
    {"NO_COLOR", "if set, no bold text on a terminal", NULL},
    {NULL, NULL, NULL},
};
