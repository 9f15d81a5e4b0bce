/* The options and commands there are. */
#include "cli/table.h"

enum {
    EVERY = CLI_CLASSIFY | CLI_COMPARE | CLI_BENCH | CLI_INFO | CLI_CONVERT | CLI_PACK | CLI_VAL,
    ALL = CLI_CLASSIFY | CLI_COMPARE | CLI_BENCH | CLI_INFO | CLI_VAL,
    SINGLE = ALL & ~CLI_BENCH,    /* run one configuration */
    MANY = CLI_COMPARE | CLI_VAL, /* always run for the fastest run */
};

/* In the order of the enums that hold them. */
static const char *const formats[] = {"text", "json", "jsonl", "csv", NULL};
static const char *const isas[] = {"auto", "scalar", "avx2", "avx512", "amx", "neon", NULL};
static const char *const readers[] = {"any", "scalar", "avx2", "avx512", "amx", "neon", NULL};
static const char *const convs[] = {"auto", "exact", "direct", "f2", "f4", "f6", NULL};
static const char *const plans[] = {"auto", "one-shot", "steady", NULL};
static const char *const shells[] = {"bash", "zsh", "fish", NULL};
static const char *const reports[] = {"text", "json", NULL};
static const char *const weights[] = {"f32", "bf16", "f16", "int8", NULL};
static const char *const sorts[] = {"order", "time", NULL};

#define VALUE(member) offsetof(struct cli_options, member)

const struct cli_option cli_option_table[] = {
    {"model", 'm', EVERY, CLI_TEXT, VALUE(model), "FILE",
     "the checkpoint; all words are then the others", NULL, 0, 0},
    {"input", 'i', CLI_CLASSIFY, CLI_WORD, 0, "IMAGE", "a picture, like a word without option",
     NULL, 0, 0},
    {"topk", 'k', CLI_CLASSIFY | CLI_VAL, CLI_COUNT, VALUE(topk), "N",
     "the N most probable classes (5)", NULL, 1, 1000000},
    {"labels", 'l', CLI_CLASSIFY | CLI_VAL | CLI_PACK, CLI_TEXT, VALUE(labels), "FILE",
     "class names, one a line, in the order of the classes", NULL, 0, 0},
    {"truth", 0, CLI_VAL, CLI_TEXT, VALUE(truth), "FILE",
     "lines of a picture's path in FOLDER and its class, a number or label", NULL, 0, 0},
    {"weights", 0, CLI_PACK, CLI_CHOICE, VALUE(weights), NULL,
     "float32; in 16 bits; or 8-bit integers, with which activations are too (f32)", weights, 0, 0},
    {"calibrate", 0, CLI_PACK, CLI_TEXT, VALUE(calibrate), "DIR",
     "pictures like those to come, which int8 is chosen and measured with", NULL, 0, 0},
    {"pictures", 0, CLI_PACK, CLI_COUNT, VALUE(pictures), "N",
     "calibrate with at most N of them, spread over DIR (256)", NULL, 1, 1000000},
    {"threads", 't', SINGLE | CLI_PACK, CLI_COUNT, VALUE(threads), "N",
     "threads (as many as there are CPUs for this process)", NULL, 1, 1024},
    {"threads", 't', CLI_BENCH, CLI_COUNTS, VALUE(threads_list), "N,...",
     "threads (as many as there are CPUs for this process)", NULL, 1, 1024},
    {"batch", 'b', CLI_INFO, CLI_COUNT, VALUE(batch), "N", "plan for N pictures in one run (1)",
     NULL, 1, 4096},
    {"batch", 'b', CLI_VAL, CLI_COUNT, VALUE(batch), "N", "pictures in one run (8)", NULL, 1, 4096},
    {"batch", 'b', CLI_BENCH, CLI_COUNTS, VALUE(batch_list), "N,...", "pictures in one run (1)",
     NULL, 1, 4096},
    {"isa", 0, SINGLE | CLI_PACK, CLI_CHOICE, VALUE(isa), NULL,
     "instruction set (auto: the best of this CPU)", isas, 0, 0},
    {"isa", 0, CLI_BENCH, CLI_CHOICES, VALUE(isa_list), NULL,
     "instruction set (auto: the best of this CPU)", isas, 0, 0},
    {"conv", 0, SINGLE, CLI_CHOICE, VALUE(conv), NULL,
     "how to convolve; fN: Winograd's F(N x N, 3 x 3) (auto: the fastest)", convs, 0, 0},
    {"conv", 0, CLI_BENCH, CLI_CHOICES, VALUE(conv_list), NULL,
     "how to convolve; fN: Winograd's F(N x N, 3 x 3) (auto: the fastest)", convs, 0, 0},
    {"exact", 0, ALL, CLI_FLAG, VALUE(exact), NULL,
     "direct and F(2 x 2) only; the same as --conv exact", NULL, 0, 0},
    {"plan-for", 0, ALL & ~MANY, CLI_CHOICE, VALUE(plan_for), NULL,
     "earliest answer or fastest run (auto: one-shot for up to 4 pictures)", plans, 0, 0},
    {"low-memory", 0, ALL & ~CLI_COMPARE, CLI_FLAG, VALUE(low_memory), NULL,
     "the least memory: keep no prepared weights, small scratch; slower", NULL, 0, 0},
    {"preset", 0, ALL | CLI_PACK, CLI_TEXT, VALUE(preset), "NAME",
     "imagenet, features, cifar, caffe or auto, the model's (auto)", NULL, 0, 0},
    {"spec", 0, ALL | CLI_PACK, CLI_TEXT, VALUE(spec), "FILE",
     "JSON description of the net (the .json beside the checkpoint, if any)", NULL, 0, 0},
    {"cfg", 0, ALL | CLI_PACK, CLI_TEXT, VALUE(cfg), "LIST",
     "layers, as 64,64,M,128: M a max pool, D Dropout (as names tell)", NULL, 0, 0},
    {"size", 0, ALL, CLI_SIZE, VALUE(size), "N|HxW",
     "input of NxN or HxW pixels, as the pools allow (the model's)", NULL, 1, 65535},
    {"resize", 0, ALL, CLI_COUNT, VALUE(resize), "N",
     "resize the shorter side to N pixels before the crop; 0: do not", NULL, 0, 65535},
    {"dense", 0, ALL & ~MANY, CLI_FLAG, VALUE(dense), NULL,
     "do not crop: move the classifier over the picture, average scores", NULL, 0, 0},
    {"key", 0, EVERY, CLI_TEXT, VALUE(key), "NAME",
     "which of several nets in the file: its key, as in ema.module", NULL, 0, 0},
    {"verify", 0, EVERY, CLI_FLAG, VALUE(verify), NULL,
     "compare the file's SHA-256 with its name, and all CRC-32 in it", NULL, 0, 0},
    {"nodes", 0, CLI_COMPARE, CLI_FLAG, VALUE(nodes), NULL,
     "compare every node that has a file in DIR, not only the logits", NULL, 0, 0},
    {"images", 0, CLI_COMPARE, CLI_FLAG, VALUE(images), NULL,
     "compare preprocessing too, of each IMAGE or of those in golden.json", NULL, 0, 0},
    {"rtol", 0, CLI_COMPARE, CLI_NUMBER, VALUE(rtol), "X",
     "largest difference allowed, relative to the node's maximum (1e-5)", NULL, 0, 0},
    {"runs", 0, CLI_BENCH, CLI_COUNT, VALUE(runs), "N",
     "time exactly N runs (until the median is stable)", NULL, 1, 100000},
    {"min-time", 0, CLI_BENCH, CLI_NUMBER, VALUE(min_time), "S",
     "time runs for S seconds at least (0.5)", NULL, 0, 0},
    {"max-time", 0, CLI_BENCH, CLI_NUMBER, VALUE(max_time), "S",
     "end a configuration after S seconds, stable or not (10)", NULL, 0, 0},
    {"layers", 0, CLI_BENCH, CLI_FLAG, VALUE(layers), NULL,
     "tell of every layer: time, arithmetic and bytes against the roof", NULL, 0, 0},
    {"sort", 0, CLI_BENCH, CLI_CHOICE, VALUE(sort), NULL,
     "layers in the order of the net or the slowest first (order)", sorts, 0, 0},
    {"plot", 0, CLI_BENCH, CLI_TEXT, VALUE(plot), "FILE.png",
     "draw the time of every layer; for one configuration", NULL, 0, 0},
    {"tensors", 0, CLI_INFO, CLI_FLAG, VALUE(tensors), NULL,
     "list the tensors: types, shapes, strides, places", NULL, 0, 0},
    {"plan", 0, CLI_INFO, CLI_FLAG, VALUE(plan), NULL,
     "tell how every step is computed and why, predicted and measured", NULL, 0, 0},
    {"format", 'o', ALL & ~CLI_VAL, CLI_CHOICE, VALUE(format), NULL, "how results are written",
     formats, 0, 0},
    {"format", 'o', CLI_VAL, CLI_CHOICE, VALUE(format), NULL, "how results are written", reports, 0,
     0},
    {"format", 0, CLI_PACK, CLI_CHOICE, VALUE(format), NULL,
     "how what calibration found is written", reports, 0, 0},
    {"output", 'o', CLI_CONVERT, CLI_TEXT, VALUE(output), "FILE",
     "the file to write: .pth, .pt or .safetensors", NULL, 0, 0},
    {"output", 'o', CLI_PACK, CLI_TEXT, VALUE(output), "FILE",
     "the file to write, by convention .vgg", NULL, 0, 0},
    {"for", 0, CLI_PACK, CLI_CHOICES, VALUE(for_list), NULL,
     "instruction sets whose kernels find convolutions ready, and any: plain weights, from which "
     "all "
     "others prepare them (this CPU's best,any)",
     readers, 0, 0},
    {"output", 'f', ALL, CLI_TEXT, VALUE(output), "FILE",
     "write the results to FILE instead of standard output", NULL, 0, 0},
    {"save-logits", 0, CLI_CLASSIFY, CLI_TEXT, VALUE(save_logits), "FILE.npy",
     "save the logits, float32 [images, classes]", NULL, 0, 0},
    {"save-input", 0, CLI_CLASSIFY, CLI_TEXT, VALUE(save_input), "FILE.npy",
     "save what is fed to the net, float32 [images, 3, height, width]", NULL, 0, 0},
    {"time", 0, CLI_CLASSIFY, CLI_FLAG, VALUE(time), NULL,
     "tell the time of each step and the peak memory", NULL, 0, 0},
    {"verbose", 'v', EVERY, CLI_FLAG, VALUE(verbose), NULL,
     "tell what was found in the files and decided from it", NULL, 0, 0},
    {"no-sandbox", 0, EVERY, CLI_FLAG, VALUE(no_sandbox), NULL,
     "keep the rights to start programs, to connect and to write", NULL, 0, 0},
    {"completion", 0, CLI_CLASSIFY, CLI_CHOICE, VALUE(completion), NULL,
     "write what that shell sources to complete vgg-infer's words", shells, 0, 0},
    {"help", 'h', EVERY, CLI_FLAG, VALUE(help), NULL, "show this text", NULL, 0, 0},
    {"version", 'V', EVERY, CLI_FLAG, VALUE(version), NULL, "show the version", NULL, 0, 0},
    {NULL, 0, 0, CLI_FLAG, 0, NULL, NULL, NULL, 0, 0},
};

const struct cli_command_entry cli_command_table[] = {
    {CLI_CLASSIFY, "", "[options] [MODEL] IMAGE...",
     "Classify pictures with a torchvision VGG checkpoint. IMAGE is a JPEG or PNG file, "
     "recognised\n"
     "by its content; - is standard input. Without MODEL the small bundled net is used."},
    {CLI_COMPARE, "compare", "[options] MODEL DIR [IMAGE...]",
     "Compare with what torchvision computed: DIR holds input.npy and logits.npy, and for --nodes\n"
     "one .npy per node, as tools/scripts/golden.py writes them."},
    {CLI_BENCH, "bench", "[options] [MODEL] [IMAGE]",
     "Time the net: on IMAGE, or on random numbers. Options that take several values, as in\n"
     "-t 1,2 --batch 1,8, are timed in all combinations. Without MODEL the small bundled net is "
     "used."},
    {CLI_VAL, "val", "[options] [MODEL] FOLDER",
     "Tell how often the net is right: of all pictures in FOLDER, which has one folder for each "
     "class\n"
     "or, with --truth, a list. Folders are classes by their names if these are the net's labels, "
     "else\n"
     "in sorted order, as in torchvision's ImageFolder. Without MODEL the small bundled net is "
     "used."},
    {CLI_INFO, "info", "[options] MODEL",
     "Tell what a checkpoint is: the net, its layers, their sizes; with --plan how it is run "
     "here."},
    {CLI_CONVERT, "convert", "[options] MODEL -o FILE",
     "Write a checkpoint's tensors as PyTorch (FILE.pth) or others (FILE.safetensors) read them: "
     "the\n"
     "same names, element types and values. FILE is replaced in one step, when all is written."},
    {CLI_PACK, "pack", "[options] MODEL -o FILE",
     "Write the net into one file that is used where it is mapped: weights at whole pages, with\n"
     "BatchNorm folded, in the order in which this CPU's kernels read them and as all others can\n"
     "prepare them; layers, labels and preprocessing. FILE then stands wherever a checkpoint can.\n"
     "--weights bf16 and f16 halve the file and what is read of it; arithmetic stays float32.\n"
     "With --weights int8 --calibrate DIR it is an int8 net, and what that costs is told."},
    {0, NULL, NULL, NULL},
};

const struct cli_exit_entry cli_exit_table[] = {
    {0, "all good"},
    {1, "a picture failed, a comparison found a difference, or results could not be written"},
    {2, "wrong usage"},
    {3, "unusable model"},
    {4, "out of memory"},
    {0, NULL},
};

const struct cli_variable_entry cli_variable_table[] = {
    {"VGG_ISA", "the best instruction set to use: scalar, avx2, avx512, amx or neon"},
    {"VGG_MODELS", "the folder of the bundled checkpoint"},
    {NULL, NULL},
};
