/* SPDX-License-Identifier: MIT */
/* Follows a function in the code of a TorchScript archive from its input to its result, without running it: numbers
 * that are in the code are known, tensors are not. */
#include "checkpoint/script/follow.h"

enum {
    STEPS_MAX = 1 << 20,
    CALL_STEPS = 100, /* what a call costs, because it needs memory */
};

/* How a block ends. */
enum flow { FLOW_STOPPED, FLOW_ENDED, FLOW_RETURNED };

static enum flow run_block(struct vgg_follower *follower, struct vgg_frame *frame);

static bool is_name(const struct vgg_token *token, const char *name)
{
    return vgg_token_is(token, VGG_TOKEN_NAME, name);
}

static bool is_line_end(const struct vgg_token *token)
{
    return token->kind == VGG_TOKEN_LINE || token->kind == VGG_TOKEN_END;
}

/* ---- assignments ---- */

/* The mark behind the variables that are assigned: "a, b =", "a : Tensor ="; NULL: this is no assignment. */
static const struct vgg_token *find_targets_end(const struct vgg_token *token)
{
    while (token[0].kind == VGG_TOKEN_NAME && vgg_token_is_mark(&token[1], ',')) {
        token += 2;
    }
    token += token[0].kind == VGG_TOKEN_NAME;
    return vgg_token_is_mark(token, '=') || vgg_token_is_mark(token, ':') ? token : NULL;
}

/* Assigns the parts of a value to "a, b"; the value itself to "a". */
static bool assign(struct vgg_follower *follower, struct vgg_frame *frame,
                   const struct vgg_token *target, const struct vgg_term *value)
{
    const bool single = target[0].kind == VGG_TOKEN_NAME && !vgg_token_is_mark(&target[1], ',');
    if (single) {
        return vgg_frame_set(follower, frame, vgg_token_span(target), value);
    }
    for (int64_t i = 0; target->kind == VGG_TOKEN_NAME; i++) {
        const struct vgg_term part = vgg_expression_get_item(value, i);
        if (!vgg_frame_set(follower, frame, vgg_token_span(target), &part)) {
            return false;
        }
        target += vgg_token_is_mark(&target[1], ',') ? 2 : 1;
    }
    return true;
}

/* Reads what follows the first value of a list "x, y, …". */
static bool read_more_values(struct vgg_follower *follower, struct vgg_frame *frame,
                             struct vgg_term *out)
{
    /* On the stack once for each call of the code, which can be hundreds deep. */
    enum { VALUES_MAX = 16 };
    struct vgg_term values[VALUES_MAX] = {*out};
    size_t count = 1;
    while (vgg_token_is_mark(frame->at, ',')) {
        frame->at++;
        if (count == VALUES_MAX) {
            return vgg_frame_stop(follower, frame);
        }
        if (!vgg_expression_read(follower, frame, &values[count++])) {
            return false;
        }
    }
    struct vgg_term *items = vgg_arena_alloc(follower->scratch, count, sizeof *items);
    if (items == NULL) {
        return vgg_recorder_stop_memory(follower->recorder);
    }
    memcpy(items, values, count * sizeof *items);
    *out = vgg_term_make_list(items, count);
    return true;
}

/* Reads "x" or "x, y", which is a list. */
static bool read_values(struct vgg_follower *follower, struct vgg_frame *frame,
                        struct vgg_term *out)
{
    if (!vgg_expression_read(follower, frame, out)) {
        return false;
    }
    return !vgg_token_is_mark(frame->at, ',') || read_more_values(follower, frame, out);
}

static bool run_assignment(struct vgg_follower *follower, struct vgg_frame *frame,
                           const struct vgg_token *end)
{
    const struct vgg_token *targets = frame->at;
    struct vgg_term value;
    frame->at = end;
    while (!vgg_token_is_mark(frame->at, '=')) { /* a type */
        if (is_line_end(frame->at) || !vgg_follower_pay(follower, 1)) {
            return vgg_frame_stop(follower, frame);
        }
        frame->at++;
    }
    frame->at++;
    return read_values(follower, frame, &value) && assign(follower, frame, targets, &value);
}

/* ---- branches ---- */

/* A block below a line, and what it does. */
struct block {
    /* Its first LINE; NULL: there is no such block. */
    const struct vgg_token *begin;
    bool raises;
    /* It can set a variable or return. */
    bool matters;
};

/* Reads "KEYWORD …:" at its colon; the next token is the LINE after the block then. */
static bool skip_block(struct vgg_follower *follower, struct vgg_frame *frame, uint32_t indent,
                       struct block *out)
{
    static const char raise[] = "RaiseException";
    if (!vgg_frame_expect(follower, frame, ':')) {
        return false;
    }
    *out = (struct block){.begin = frame->at};
    if (frame->at->kind != VGG_TOKEN_LINE || frame->at->length <= indent) {
        return vgg_frame_stop(follower, frame);
    }
    const struct vgg_token *token = frame->at;
    while (token->kind != VGG_TOKEN_END &&
           (token->kind != VGG_TOKEN_LINE || token->length > indent)) {
        out->raises = out->raises || is_name(token, raise);
        out->matters = out->matters || vgg_token_is_mark(token, '=') || is_name(token, "return");
        token++;
    }
    const size_t length = (size_t)(token - frame->at);
    frame->at = token;
    return vgg_follower_pay(follower, length);
}

/* Reads "if CONDITION:", and the blocks below it and below its "else:". */
static bool read_if(struct vgg_follower *follower, struct vgg_frame *frame, uint32_t indent,
                    struct vgg_term *condition, struct block blocks[2])
{
    frame->at++;
    if (!vgg_expression_read(follower, frame, condition) ||
        !skip_block(follower, frame, indent, &blocks[0])) {
        return false;
    }
    const bool has_else = frame->at->kind == VGG_TOKEN_LINE && frame->at->length == indent &&
                          is_name(&frame->at[1], "else");
    if (!has_else) {
        return true;
    }
    frame->at += 2;
    return skip_block(follower, frame, indent, &blocks[1]);
}

static enum flow run_chosen(struct vgg_follower *follower, struct vgg_frame *frame,
                            const struct block *block)
{
    if (block->begin == NULL) {
        return FLOW_ENDED;
    }
    frame->at = block->begin;
    return run_block(follower, frame);
}

/* Follows both blocks of a condition that is not known. What they set is not known either, so that it must be no more
 * than a number: "a or b" is such a block. */
static enum flow run_both(struct vgg_follower *follower, struct vgg_frame *frame,
                          const struct block blocks[2])
{
    const size_t variables = frame->count, steps = follower->recorder->count;
    bool good = true;
    for (int i = 0; i < 2 && good; i++) {
        good = !blocks[i].matters || run_chosen(follower, frame, &blocks[i]) == FLOW_ENDED;
        good = good && follower->recorder->count == steps;
    }
    for (size_t i = variables; i < frame->count; i++) {
        struct vgg_term *value = &frame->variables[i].value;
        good = good && value->kind <= VGG_TERM_TEXT;
        *value = (struct vgg_term){0};
    }
    if (good) {
        return FLOW_ENDED;
    }
    vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                      "which lines run depends on the input");
    return FLOW_STOPPED;
}

/* Follows the block of a condition that is known, or the one that does not raise. */
static enum flow run_if(struct vgg_follower *follower, struct vgg_frame *frame, uint32_t indent)
{
    struct block blocks[2] = {{0}};
    struct vgg_term condition;
    enum flow flow;
    if (!read_if(follower, frame, indent, &condition, blocks)) {
        return FLOW_STOPPED;
    }
    const struct vgg_token *next = frame->at;
    if (condition.kind == VGG_TERM_BOOL) {
        flow = run_chosen(follower, frame, &blocks[condition.boolean ? 0 : 1]);
    } else if (blocks[0].raises != blocks[1].raises) {
        flow = run_chosen(follower, frame, &blocks[blocks[0].raises ? 1 : 0]);
    } else {
        flow = run_both(follower, frame, blocks);
    }
    frame->at = next;
    return flow;
}

/* ---- loops ---- */

static enum flow stop_loop(struct vgg_follower *follower)
{
    vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                      "how often a loop runs depends on the input");
    return FLOW_STOPPED;
}

/* Follows "for NAME in range(N):" N times. */
static enum flow run_for(struct vgg_follower *follower, struct vgg_frame *frame, uint32_t indent)
{
    const struct vgg_token *target = &frame->at[1];
    struct vgg_term count;
    struct block block;
    if (target->kind != VGG_TOKEN_NAME || !is_name(&target[1], "in") ||
        !is_name(&target[2], "range")) {
        vgg_frame_stop(follower, frame);
        return FLOW_STOPPED;
    }
    frame->at = &target[3];
    if (!vgg_frame_expect(follower, frame, '(') || !vgg_expression_read(follower, frame, &count) ||
        !vgg_frame_expect(follower, frame, ')') || !skip_block(follower, frame, indent, &block)) {
        return FLOW_STOPPED;
    }
    const struct vgg_token *next = frame->at;
    if (count.kind != VGG_TERM_INT) {
        return stop_loop(follower);
    }
    enum flow flow = FLOW_ENDED;
    for (int64_t i = 0; i < count.integer && flow == FLOW_ENDED; i++) {
        const struct vgg_term index = {.kind = VGG_TERM_INT, .integer = i};
        const bool good = vgg_follower_pay(follower, CALL_STEPS) &&
                          vgg_frame_set(follower, frame, vgg_token_span(target), &index);
        flow = good ? run_chosen(follower, frame, &block) : FLOW_STOPPED;
    }
    frame->at = next;
    return flow;
}

/* Follows "while CONDITION:" as long as the condition is known and true. */
static enum flow run_while(struct vgg_follower *follower, struct vgg_frame *frame, uint32_t indent)
{
    const struct vgg_token *begin = &frame->at[1], *next;
    struct vgg_term condition;
    struct block block;
    enum flow flow = FLOW_ENDED;
    do {
        frame->at = begin;
        if (!vgg_follower_pay(follower, CALL_STEPS) ||
            !vgg_expression_read(follower, frame, &condition) ||
            !skip_block(follower, frame, indent, &block)) {
            return FLOW_STOPPED;
        }
        next = frame->at;
        if (condition.kind != VGG_TERM_BOOL) {
            return stop_loop(follower);
        }
        flow = condition.boolean ? run_chosen(follower, frame, &block) : FLOW_ENDED;
    } while (condition.boolean && flow == FLOW_ENDED);
    frame->at = next;
    return flow;
}

/* ---- statements ---- */

static bool end_line(struct vgg_follower *follower, struct vgg_frame *frame)
{
    return is_line_end(frame->at) || vgg_frame_stop(follower, frame);
}

static enum flow run_return(struct vgg_follower *follower, struct vgg_frame *frame)
{
    frame->at++;
    frame->result = (struct vgg_term){.kind = VGG_TERM_NONE};
    const bool good =
        is_line_end(frame->at) || vgg_expression_read(follower, frame, &frame->result);
    return good && end_line(follower, frame) ? FLOW_RETURNED : FLOW_STOPPED;
}

/* Statements that are not understood. */
static bool is_other(const struct vgg_token *token)
{
    static const char *const keywords[] = {"with", "raise", "try", "del", "assert", NULL};
    size_t i = 0;
    while (keywords[i] != NULL && !is_name(token, keywords[i])) {
        i++;
    }
    return keywords[i] != NULL;
}

static enum flow run_statement(struct vgg_follower *follower, struct vgg_frame *frame,
                               uint32_t indent)
{
    const struct vgg_token *end = find_targets_end(frame->at);
    struct vgg_term ignored;
    bool good = true;
    if (is_other(frame->at)) {
        good = vgg_frame_stop(follower, frame);
    } else if (is_name(frame->at, "if")) {
        return run_if(follower, frame, indent);
    } else if (is_name(frame->at, "for")) {
        return run_for(follower, frame, indent);
    } else if (is_name(frame->at, "while")) {
        return run_while(follower, frame, indent);
    } else if (is_name(frame->at, "return")) {
        return run_return(follower, frame);
    } else if (is_name(frame->at, "pass")) {
        frame->at++;
    } else if (end != NULL) {
        good = run_assignment(follower, frame, end);
    } else {
        good = vgg_expression_read(follower, frame, &ignored);
    }
    return good && end_line(follower, frame) ? FLOW_ENDED : FLOW_STOPPED;
}

/* Runs the lines of one indentation. */
static enum flow run_lines(struct vgg_follower *follower, struct vgg_frame *frame)
{
    const uint32_t indent = frame->at->length;
    enum flow flow = FLOW_ENDED;
    while (flow == FLOW_ENDED && frame->at->kind == VGG_TOKEN_LINE && frame->at->length >= indent) {
        if (frame->at->length > indent) {
            vgg_frame_stop(follower, frame);
            return FLOW_STOPPED;
        }
        frame->at++;
        flow = run_statement(follower, frame, indent);
    }
    return flow;
}

/* Runs the block whose first LINE is the next token. */
static enum flow run_block(struct vgg_follower *follower, struct vgg_frame *frame)
{
    const enum flow flow = vgg_follower_enter(follower) ? run_lines(follower, frame) : FLOW_STOPPED;
    follower->depth--;
    return flow;
}

/* ---- functions ---- */

/* Moves to the mark that ends a parameter's type: ",", "=" or ")". */
static bool skip_type(struct vgg_follower *follower, struct vgg_frame *frame)
{
    int depth = 0;
    while (depth > 0 || !(vgg_token_is_mark(frame->at, ',') || vgg_token_is_mark(frame->at, '=') ||
                          vgg_token_is_mark(frame->at, ')'))) {
        if (is_line_end(frame->at) || !vgg_follower_pay(follower, 1)) {
            return vgg_frame_stop(follower, frame);
        }
        depth += vgg_token_is_mark(frame->at, '[') - vgg_token_is_mark(frame->at, ']');
        frame->at++;
    }
    return true;
}

/* The argument of a parameter; NULL: it has its default. */
static const struct vgg_term *find_argument(const struct vgg_arguments *arguments, size_t place,
                                            struct vgg_span name)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct vgg_argument *argument = &arguments->items[i];
        if (argument->name.length > 0 ? vgg_span_compare(argument->name, name) == 0 : i == place) {
            return &argument->value;
        }
    }
    return NULL;
}

/* Reads "NAME: TYPE=DEFAULT", and sets the variable.
 *   given  the argument; NULL: the default is taken */
static bool bind_param(struct vgg_follower *follower, struct vgg_frame *frame,
                       const struct vgg_term *given)
{
    const struct vgg_span name = vgg_token_span(frame->at), function = frame->function->name;
    struct vgg_term value = {0};
    frame->at++;
    if (!skip_type(follower, frame)) {
        return false;
    }
    const bool has_default = vgg_token_is_mark(frame->at, '=');
    if (has_default) {
        frame->at++;
        if (!vgg_expression_read(follower, frame, &value)) {
            return false;
        }
    }
    if (given == NULL && !has_default) {
        return vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN, "%.*s has other inputs",
                                 VGG_SHOWN(function.bytes, function.length, 64));
    }
    return vgg_frame_set(follower, frame, name, given != NULL ? given : &value);
}

/* Sets the parameters of the frame's function. */
static bool bind(struct vgg_follower *follower, struct vgg_frame *frame,
                 const struct vgg_value *self, const struct vgg_arguments *arguments)
{
    const struct vgg_term module = {.kind = VGG_TERM_MODULE, .module = self};
    bool is_self = self != NULL;
    frame->at = frame->function->params;
    for (size_t place = 0; !vgg_token_is_mark(frame->at, ')');) {
        if (frame->at->kind != VGG_TOKEN_NAME || !vgg_follower_pay(follower, arguments->count)) {
            return vgg_frame_stop(follower, frame);
        }
        const struct vgg_term *given =
            is_self ? &module : find_argument(arguments, place, vgg_token_span(frame->at));
        place += !is_self;
        is_self = false;
        if (!bind_param(follower, frame, given)) {
            return false;
        }
        frame->at += vgg_token_is_mark(frame->at, ',');
    }
    return true;
}

static bool run_body(struct vgg_follower *follower, struct vgg_frame *frame)
{
    frame->at = frame->function->body;
    return run_block(follower, frame) != FLOW_STOPPED;
}

static bool run_function(struct vgg_follower *follower, const struct vgg_code_function *function,
                         const struct vgg_value *self, const struct vgg_arguments *arguments,
                         struct vgg_term *out)
{
    struct vgg_frame frame = {.function = function, .result = {.kind = VGG_TERM_NONE}};
    struct vgg_recorder *recorder = follower->recorder;
    const struct vgg_value *caller = recorder->self;
    recorder->self = self != NULL ? self : caller;
    const bool good = vgg_follower_enter(follower) && vgg_follower_pay(follower, CALL_STEPS) &&
                      bind(follower, &frame, self, arguments) && run_body(follower, &frame);
    follower->depth--;
    recorder->self = caller;
    *out = frame.result;
    return good;
}

void vgg_follower_init(struct vgg_code *code, struct vgg_recorder *recorder,
                       struct vgg_arena *scratch, struct vgg_follower *out)
{
    *out = (struct vgg_follower){.code = code,
                                 .recorder = recorder,
                                 .scratch = scratch,
                                 .steps_left = STEPS_MAX,
                                 .run = run_function};
}

static const struct vgg_code_function *find_forward(const struct vgg_follower *follower,
                                                    const struct vgg_value *module)
{
    static const char forward[] = "forward";
    const struct vgg_value *type = module->object.callee;
    return vgg_code_find(follower->code, type->global.module, type->global.name,
                         (struct vgg_span){forward, sizeof forward - 1});
}

bool vgg_follow_is_plain(const struct vgg_follower *follower, const struct vgg_value *module)
{
    return vgg_span_equals(module->object.callee->global.name, "Module") &&
           find_forward(follower, module) == NULL;
}

bool vgg_follow_forward(struct vgg_follower *follower, const struct vgg_value *module,
                        struct vgg_term *result)
{
    struct vgg_argument input = {.value = {.kind = VGG_TERM_DATA, .data = 0}};
    const struct vgg_arguments arguments = {&input, 1, 1};
    const struct vgg_span name = module->object.callee->global.name;
    const struct vgg_code_function *function = find_forward(follower, module);
    return function != NULL ? run_function(follower, function, module, &arguments, result)
                            : vgg_recorder_stop(follower->recorder, VGG_SCRIPT_UNKNOWN,
                                                "%.*s.forward: the code is not in the archive",
                                                VGG_SHOWN(name.bytes, name.length, 64));
}
