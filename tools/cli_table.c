/* The options and commands there are. */
#include "cli_table.h"

enum { ALL = CLI_CLASSIFY | CLI_COMPARE };

/* In the order of enum cli_format and enum vgg_cpu. */
static const char *const formats[] = {"text", "json", "jsonl", "csv", NULL};
static const char *const cpus[] = {"auto", "scalar", "avx2", "avx512", "neon", NULL};

#define VALUE(member) offsetof(struct cli_options, member)

const struct cli_option cli_option_table[] = {
    {"model", 'm', ALL, CLI_TEXT, VALUE(model), "FILE",
     "the checkpoint; all words are then the others", NULL, 0, 0},
    {"input", 'i', CLI_CLASSIFY, CLI_WORD, 0, "IMAGE", "a picture, like a word without option",
     NULL, 0, 0},
    {"topk", 'k', CLI_CLASSIFY, CLI_COUNT, VALUE(topk), "N", "show the N most probable classes (5)",
     NULL, 1, 1000000},
    {"labels", 'l', CLI_CLASSIFY, CLI_TEXT, VALUE(labels), "FILE",
     "class names, one a line, in the order of the classes", NULL, 0, 0},
    {"threads", 't', ALL, CLI_COUNT, VALUE(threads), "N",
     "threads (as many as there are CPUs for this process)", NULL, 1, 1024},
    {"cpu", 0, ALL, CLI_CHOICE, VALUE(cpu), NULL, "instruction set (auto: the best of this CPU)",
     cpus, 0, 0},
    {"preset", 0, ALL, CLI_TEXT, VALUE(preset), "NAME",
     "preprocessing: auto, imagenet, features, cifar (auto: the model's)", NULL, 0, 0},
    {"spec", 0, ALL, CLI_TEXT, VALUE(spec), "FILE",
     "JSON description of the net (the .json beside the checkpoint, if any)", NULL, 0, 0},
    {"verify", 0, ALL, CLI_FLAG, VALUE(verify), NULL,
     "compare the SHA-256 with the prefix in the checkpoint's name", NULL, 0, 0},
    {"nodes", 0, CLI_COMPARE, CLI_FLAG, VALUE(nodes), NULL,
     "compare every node that has a file in DIR, not only the logits", NULL, 0, 0},
    {"images", 0, CLI_COMPARE, CLI_FLAG, VALUE(images), NULL,
     "compare the preprocessing too, of each IMAGE or of those golden.json names", NULL, 0, 0},
    {"rtol", 0, CLI_COMPARE, CLI_NUMBER, VALUE(rtol), "X",
     "largest difference allowed, relative to the node's maximum (1e-5)", NULL, 0, 0},
    {"format", 'o', ALL, CLI_CHOICE, VALUE(format), NULL, "how results are written", formats, 0, 0},
    {"output", 'f', ALL, CLI_TEXT, VALUE(output), "FILE",
     "write the results to FILE instead of standard output", NULL, 0, 0},
    {"save-logits", 0, CLI_CLASSIFY, CLI_TEXT, VALUE(save_logits), "FILE.npy",
     "save the logits, float32 [images, classes]", NULL, 0, 0},
    {"save-input", 0, CLI_CLASSIFY, CLI_TEXT, VALUE(save_input), "FILE.npy",
     "save what is fed to the net, float32 [images, 3, height, width]", NULL, 0, 0},
    {"time", 0, CLI_CLASSIFY, CLI_FLAG, VALUE(time), NULL,
     "tell the time of each step and the peak memory", NULL, 0, 0},
    {"help", 'h', ALL, CLI_FLAG, VALUE(help), NULL, "show this text", NULL, 0, 0},
    {"version", 'V', ALL, CLI_FLAG, VALUE(version), NULL, "show the version", NULL, 0, 0},
    {NULL, 0, 0, CLI_FLAG, 0, NULL, NULL, NULL, 0, 0},
};

const struct cli_command_entry cli_command_table[] = {
    {CLI_CLASSIFY, "", "[options] [MODEL] IMAGE...",
     "Classify pictures with a torchvision VGG checkpoint. IMAGE is a JPEG or PNG file, "
     "recognised\n"
     "by its content; - is standard input. Without MODEL the small bundled net is used."},
    {CLI_COMPARE, "compare", "[options] MODEL DIR [IMAGE...]",
     "Compare with what torchvision computed: DIR holds input.npy and logits.npy, and for --nodes\n"
     "one .npy per node, as tools/golden.py writes them."},
    {0, NULL, NULL, NULL},
};
