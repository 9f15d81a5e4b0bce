/* The parser: long options as "--name=value" or "--name value", letters bundled as "-k3" or "-Vh". */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "io/message.h"

/* Where the parser is in argv. */
struct parser {
    char **argv;
    int argc;
    int next;
    struct cli_options *options;
    struct vgg_error *err;
};

/* Edit distance (insert, delete, replace) of two short words; longer ones are never near. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 32 };
    size_t row[LONGEST + 1];
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > LONGEST || b_length > LONGEST) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[b_length];
}

/* The option of this command that was probably meant: an option of which the word is the beginning,
 * else the nearest spelling. NULL when none is near. */
static const char *suggest(const char *word, enum cli_command command)
{
    const char *nearest = NULL;
    size_t least = strlen(word) < 6 ? 3 : 4;
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if ((option->commands & command) == 0) {
            continue;
        }
        size_t distance = strlen(word) >= 2 && strncmp(option->name, word, strlen(word)) == 0
                              ? 0
                              : edit_distance(word, option->name);
        if (distance < least) {
            least = distance;
            nearest = option->name;
        }
    }
    return nearest;
}

static vgg_status fail_unknown(struct parser *parser, const char *word)
{
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if (strcmp(option->name, word) == 0) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s is no option of this command",
                                word);
        }
    }
    const char *nearest = suggest(word, parser->options->command);
    if (nearest == NULL) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT, "unknown option --%s", word);
    }
    return message_fail(parser->err, VGG_ERR_ARGUMENT, "unknown option --%s; did you mean --%s?",
                        word, nearest);
}

/* Lists "a, b or c". */
static void list_choices(const char *const *choices, char *out, size_t bytes)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && length < bytes; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        length += (size_t)snprintf(out + length, bytes - length, "%s%s", between, choices[i]);
    }
}

static vgg_status set_choice(struct parser *parser, const struct cli_option *option,
                             const char *value, int *out)
{
    char list[128];
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *out = i;
            return VGG_OK;
        }
    }
    list_choices(option->choices, list, sizeof list);
    return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s: expected %s, got '%s'", option->name,
                        list, value);
}

static vgg_status set_count(struct parser *parser, const struct cli_option *option,
                            const char *value, int *out)
{
    char *end;
    errno = 0;
    long count = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || count < option->low || count > option->high) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "--%s: expected a number from %d to %d, got '%s'", option->name,
                            option->low, option->high, value);
    }
    *out = (int)count;
    return VGG_OK;
}

/* "a,b,c": every part in turn as if it stood alone. */
static vgg_status set_list(struct parser *parser, const struct cli_option *option,
                           const char *value, struct cli_list *out)
{
    char part[VGG_ERROR_MESSAGE_BYTES];
    const char *next = value;
    out->count = 0;
    do {
        const size_t length = strcspn(next, ",");
        if (out->count == CLI_LIST_MOST) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s: expected at most %d values",
                                option->name, CLI_LIST_MOST);
        }
        snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : sizeof part - 1),
                 next);
        int *number = &out->values[out->count++];
        vgg_status status = option->kind == CLI_COUNTS ? set_count(parser, option, part, number)
                                                       : set_choice(parser, option, part, number);
        if (status != VGG_OK) {
            return status;
        }
        next += length;
    } while (*next++ == ',');
    return VGG_OK;
}

/* "N" or "HxW". */
static vgg_status set_size(struct parser *parser, const struct cli_option *option,
                           const char *value, struct cli_size *out)
{
    char *end;
    errno = 0;
    const long height = strtol(value, &end, 10);
    long width = height;
    bool complete = end != value;
    if (complete && (*end == 'x' || *end == 'X')) {
        const char *second = end + 1;
        width = strtol(second, &end, 10);
        complete = end != second;
    }
    if (!complete || *end != '\0' || errno != 0 || height < option->low || height > option->high ||
        width < option->low || width > option->high) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "--%s: expected N or HxW (height x width) with sides from %d to %d, "
                            "got '%s'",
                            option->name, option->low, option->high, value);
    }
    *out = (struct cli_size){.height = (int)height, .width = (int)width};
    return VGG_OK;
}

static vgg_status set_number(struct parser *parser, const struct cli_option *option,
                             const char *value, double *out)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(number) || number < 0) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT,
                            "--%s: expected a number, 0 or larger, got '%s'", option->name, value);
    }
    *out = number;
    return VGG_OK;
}

/* Stores one option; value is NULL for flags. */
static vgg_status set(struct parser *parser, const struct cli_option *option, const char *value)
{
    void *target = (char *)parser->options + option->offset;
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)target = true;
        return VGG_OK;
    case CLI_TEXT:
        if (value[0] == '\0') {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s: the value is empty",
                                option->name);
        }
        *(const char **)target = value;
        return VGG_OK;
    case CLI_COUNT:
        return set_count(parser, option, value, target);
    case CLI_SIZE:
        return set_size(parser, option, value, target);
    case CLI_NUMBER:
        return set_number(parser, option, value, target);
    case CLI_CHOICE:
        return set_choice(parser, option, value, target);
    case CLI_COUNTS:
    case CLI_CHOICES:
        return set_list(parser, option, value, target);
    case CLI_WORD:
        parser->options->words[parser->options->word_count++] = value;
        return VGG_OK;
    }
    return VGG_OK;
}

/* The value of an option that stands in the next word. */
static vgg_status take_value(struct parser *parser, const struct cli_option *option,
                             const char **value)
{
    if (parser->next == parser->argc) {
        return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s needs a value", option->name);
    }
    *value = parser->argv[parser->next++];
    return VGG_OK;
}

/* "--name", "--name=value", "--name value"; text is what follows the dashes. */
static vgg_status parse_long(struct parser *parser, const char *text)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] == '=' ? text + length + 1 : NULL;
    for (const struct cli_option *option = cli_option_table; option->name != NULL; option++) {
        if ((option->commands & parser->options->command) == 0 || strlen(option->name) != length ||
            strncmp(option->name, text, length) != 0) {
            continue;
        }
        if (option->kind == CLI_FLAG && value != NULL) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "--%s takes no value", option->name);
        }
        if (option->kind != CLI_FLAG && value == NULL) {
            vgg_status status = take_value(parser, option, &value);
            if (status != VGG_OK) {
                return status;
            }
        }
        return set(parser, option, value);
    }
    /* As long as a message, which is cut at a whole character. */
    char word[VGG_ERROR_MESSAGE_BYTES];
    snprintf(word, sizeof word, "%.*s", (int)(length < sizeof word ? length : sizeof word - 1),
             text);
    return fail_unknown(parser, word);
}

/* "-h", "-k3", "-k 3", "-Vk3"; letters is what follows the dash. */
static vgg_status parse_letters(struct parser *parser, const char *letters)
{
    for (const char *p = letters; *p != '\0'; p++) {
        const struct cli_option *option = cli_option_table;
        while (option->name != NULL &&
               (option->letter != *p || (option->commands & parser->options->command) == 0)) {
            option++;
        }
        if (option->name == NULL) {
            return message_fail(parser->err, VGG_ERR_ARGUMENT, "unknown option -%c in '-%s'", *p,
                                letters);
        }
        vgg_status status;
        if (option->kind == CLI_FLAG) {
            status = set(parser, option, NULL);
            if (status != VGG_OK) {
                return status;
            }
            continue;
        }
        const char *value = p[1] == '=' ? p + 2 : p + 1;
        if (p[1] == '\0') {
            status = take_value(parser, option, &value);
            if (status != VGG_OK) {
                return status;
            }
        }
        return set(parser, option, value);
    }
    return VGG_OK;
}

static vgg_status parse_words(struct parser *parser)
{
    bool options_end = false;
    while (parser->next < parser->argc) {
        const char *word = parser->argv[parser->next++];
        vgg_status status = VGG_OK;
        if (options_end || word[0] != '-' || word[1] == '\0') {
            parser->options->words[parser->options->word_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            options_end = true;
        } else if (word[1] == '-') {
            status = parse_long(parser, word + 2);
        } else {
            status = parse_letters(parser, word + 1);
        }
        if (status != VGG_OK) {
            return status;
        }
    }
    return VGG_OK;
}

vgg_status cli_parse(int argc, char **argv, struct cli_options *out, struct vgg_error *err)
{
    *out = (struct cli_options){
        .command = CLI_CLASSIFY,
        .completion = -1,
        .topk = 5,
        .resize = -1,
        .rtol = 1e-5,
        .min_time = 0.5,
        .max_time = 10,
    };
    out->words = calloc((size_t)(argc > 0 ? argc : 1), sizeof *out->words);
    if (out->words == NULL) {
        return message_fail(err, VGG_ERR_MEMORY, "out of memory");
    }
    struct parser parser = {.argv = argv, .argc = argc, .next = 1, .options = out, .err = err};
    for (const struct cli_command_entry *entry = cli_command_table; entry->name != NULL; entry++) {
        if (argc > 1 && strcmp(argv[1], entry->name) == 0 && entry->name[0] != '\0') {
            out->command = entry->command;
            parser.next = 2;
        }
    }
    vgg_status status = parse_words(&parser);
    if (status == VGG_OK && out->exact) {
        if (out->conv != VGG_CONV_AUTO || out->conv_list.count > 0) {
            status = message_fail(err, VGG_ERR_ARGUMENT, "--exact and --conv exclude each other");
        }
        out->conv = VGG_CONV_EXACT;
        out->conv_list = (struct cli_list){.values = {VGG_CONV_EXACT}, .count = 1};
    }
    if (status == VGG_OK && out->cfg != NULL && out->spec != NULL) {
        status = message_fail(err, VGG_ERR_ARGUMENT, "--cfg and --spec exclude each other");
    }
    if (status != VGG_OK) {
        cli_options_fini(out);
    }
    return status;
}

void cli_options_fini(struct cli_options *options)
{
    free(options->words);
    *options = (struct cli_options){0};
}
