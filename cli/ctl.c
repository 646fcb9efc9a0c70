/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The client of the control socket (src/debug/control.h): words become the members of a request, and
 * the members of the answer lines. `events` and `terminal` go on until the machine or the input ends.
 */
#include "ctl.h"
#include "ctl_parts.h"

#include "host/clock.h"
#include "host/event_wait.h"
#include "host/file.h"
#include "host/terminal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CTL_FAILED = 1, CTL_USAGE = 2 };

#define ARGUMENTS_MAX 3
#define LINE_MAX_BYTES (1u << 20) /* of an answer */
#define INPUT_PIECE 4096
#define DUMP_PIECE 65536u /* what an answer holds */

enum kind { TEXT, NUMBER, BOOLEAN, FLAG /* its own name, or nothing */ };

struct argument {
    const char *name;
    enum kind kind;
    bool optional;
};

static const struct command {
    const char *name;
    const char *help;
    struct argument arguments[ARGUMENTS_MAX];
} commands[] = {
    {"status", "what the machine is and whether it runs", {{0}}},
    {"pause", "no hart runs an instruction any more", {{0}}},
    {"resume", "they go on", {{0}}},
    {"reset", "restart the machine", {{0}}},
    {"button", "press the power button", {{0}}},
    {"quit", "end it", {{0}}},
    {"stats", "instructions, accesses to devices, translated code", {{0}}},
    {"registers", "of a hart", {{"hart", NUMBER, true}}},
    {"memory",
     "in hexadecimal; with a hart by its virtual addresses",
     {{"address", NUMBER, false}, {"size", NUMBER, false}, {"hart", NUMBER, true}}},
    {"dump", "main memory into a file", {{"file", TEXT, false}}},
    {"input", "bytes for the serial port", {{"data", TEXT, false}}},
    {"forward", "a port, as behind -portfwd", {{"what", TEXT, false}}},
    {"unforward", "ends it", {{"what", TEXT, false}}},
    {"forwards", "those there are", {{0}}},
    {"link",
     "the cable of a network in or out",
     {{"network", NUMBER, false}, {"up", BOOLEAN, false}}},
    {"drive-add",
     "put a drive into a slot: nvme or virtio-blk, FILE[,WORD...]",
     {{"type", TEXT, false}, {"drive", TEXT, false}}},
    {"drive-remove",
     "have the guest let go of it, and take it out; force: at once",
     {{"slot", NUMBER, false}, {"force", FLAG, true}}},
    {"drives", "in slots", {{0}}},
    {"events", "print what happens, until the machine ends", {{0}}},
    {"terminal", "be the serial port's other end, until the input ends", {{0}}},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

void ctl_complain(const char *what, const char *why)
{
    fprintf(stderr, "rvvm: ctl: %s: %s\n", what, why);
}

static void print_usage(FILE *to)
{
    fprintf(to, "rvvm ctl SOCKET COMMAND [ARGUMENT...]: drives a machine started with -control "
                "unix:SOCKET\n\n");
    for (unsigned i = 0; i < COMMANDS; i++) {
        const struct command *c = &commands[i];
        char words[64] = "";
        for (unsigned n = 0; n < ARGUMENTS_MAX && c->arguments[n].name; n++) {
            size_t length = strlen(words);
            snprintf(words + length, sizeof(words) - length,
                     c->arguments[n].optional ? " [%s]" : " %s", c->arguments[n].name);
        }
        fprintf(to, "  %s%-*s %s\n", c->name, (int)(30 - strlen(c->name)), words, c->help);
    }
    fprintf(to,
            "\nAny other COMMAND is sent as it is, without arguments. rvvm-ctl(1) has the rest.\n");
}

/*
 * The request
 */

static bool put_argument(struct json_text *request, const struct argument *a, const char *word)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(word, &end, 0);
    switch (a->kind) {
    case TEXT:
        json_put_string(request, a->name, word);
        return true;
    case NUMBER:
        if (*word == '-' || end == word || *end || errno)
            return false;
        json_put_integer(request, a->name, number);
        return true;
    case BOOLEAN:
        if (strcmp(word, "true") && strcmp(word, "false"))
            return false;
        json_put_boolean(request, a->name, !strcmp(word, "true"));
        return true;
    case FLAG:
        if (strcmp(word, a->name))
            return false;
        json_put_boolean(request, a->name, true);
        return true;
    }
    return false;
}

/* false: said what is wrong with the words. */
static bool make_request(struct json_text *request, int argc, char **argv)
{
    const struct command *c = commands;
    static const struct command other = {0};
    while (c < commands + COMMANDS && strcmp(c->name, argv[0]))
        c++;
    if (c == commands + COMMANDS)
        c = &other;
    json_begin(request);
    json_put_string(request, "command", argv[0]);
    for (int n = 0; n < ARGUMENTS_MAX && c->arguments[n].name; n++) {
        const struct argument *a = &c->arguments[n];
        if (n + 1 >= argc && a->optional)
            break;
        if (n + 1 >= argc) {
            fprintf(stderr, "rvvm: ctl %s: needs %s\n", argv[0], a->name);
            return false;
        }
        if (!put_argument(request, a, argv[n + 1])) {
            fprintf(stderr, "rvvm: ctl %s %s: %s is %s\n", argv[0], argv[n + 1], a->name,
                    a->kind == NUMBER    ? "a number"
                    : a->kind == BOOLEAN ? "true or false"
                                         : "a word, or not there");
            return false;
        }
    }
    int most = 0;
    while (most < ARGUMENTS_MAX && c->arguments[most].name)
        most++;
    if (argc - 1 > most) {
        fprintf(stderr, "rvvm: ctl %s: what is %s for?\n", argv[0], argv[most + 1]);
        return false;
    }
    json_end(request);
    return true;
}

/*
 * The socket
 */

static bool connect_to(struct ctl *ctl, const char *path)
{
    struct stream_address address;
    struct error err = {0};
    char where[256];
    int length = snprintf(where, sizeof(where), "unix:%s", path);
    if (length < 0 || (size_t)length >= sizeof(where)) {
        ctl_complain(path, "too long a name");
        return false;
    }
    if (!stream_resolve(where, &address, &err)) {
        ctl_complain(path, err.text);
        return false;
    }
    ctl->fd = stream_connect(&address);
    if (ctl->fd < 0 || !stream_wait_writable(ctl->fd, 10000) || !stream_connected(ctl->fd)) {
        ctl_complain(path, "no machine listens there");
        return false;
    }
    return true;
}

/* fds go along with the first bytes. */
static bool send_all(struct ctl *ctl, const char *bytes, size_t size, const int *fds,
                     unsigned count)
{
    while (size) {
        size_t done;
        enum stream_result result = stream_write_passing(ctl->fd, bytes, size, &done, fds, count);
        if (done)
            count = 0;
        if (result == STREAM_AGAIN)
            stream_wait_writable(ctl->fd, -1);
        else if (result != STREAM_OK)
            return false;
        bytes += done;
        size -= done;
    }
    return true;
}

static bool send_text(struct ctl *ctl, struct json_text *request)
{
    return ctl_send(ctl, request, NULL, 0);
}

bool ctl_send(struct ctl *ctl, struct json_text *request, const int *fds, unsigned count)
{
    bool sent = request->at && send_all(ctl, request->at, request->size, fds, count);
    free(request->at);
    *request = (struct json_text){0};
    return sent;
}

/* Reads what has come; true as long as more may. */
static bool fetch(struct ctl *ctl)
{
    size_t done;
    if (ctl->size == LINE_MAX_BYTES)
        return false;
    enum stream_result result =
        stream_read(ctl->fd, ctl->line + ctl->size, LINE_MAX_BYTES - ctl->size, &done);
    ctl->size += done;
    return result == STREAM_OK || result == STREAM_AGAIN;
}

/* The next whole line, without its newline: its length; -1: there is none yet. */
static ptrdiff_t next_line(const struct ctl *ctl)
{
    const char *end = memchr(ctl->line, '\n', ctl->size);
    return end ? end - ctl->line : -1;
}

static void drop_line(struct ctl *ctl, size_t length)
{
    memmove(ctl->line, ctl->line + length + 1, ctl->size - length - 1);
    ctl->size -= length + 1;
}

static bool wait_for(const struct ctl *ctl, bool input)
{
    if (!ctl->deadline)
        return stream_wait_readable(ctl->fd, input ? ctl->in : -1);
    struct event_wait *wait = event_wait_new(NULL);
    if (wait) {
        event_wait_add(wait, ctl->fd, EVENT_READ);
        event_wait_sleep(wait, ctl->deadline);
    }
    event_wait_free(wait);
    return false;
}

/*
 * Answers
 */

static void print_value(const struct json_member *m)
{
    const struct json_value *v = &m->value;
    printf("%s: ", m->name);
    if (v->kind == JSON_STRING)
        fwrite(v->text, 1, v->size, stdout);
    else if (v->kind == JSON_INTEGER)
        printf(v->negative ? "%" PRId64 : "%" PRIu64, v->integer);
    else
        fputs(v->kind == JSON_TRUE ? "true" : v->kind == JSON_FALSE ? "false" : "null", stdout);
    putchar('\n');
}

/* Answers have no more members than registers has. */
static bool parse_members(char *line, size_t size, struct json_object *answer)
{
    struct error err = {0};
    if (json_parse(answer, line, size, &err))
        return true;
    ctl_complain("the answer", err.text);
    return false;
}

static void print_answer(struct ctl *ctl, char *line, size_t size)
{
    struct json_object answer;
    bool ok = false;
    if (!parse_members(line, size, &answer)) {
        ctl->failed = true;
        return;
    }
    const char *error = json_string(&answer, "error");
    if (json_boolean(&answer, "ok", &ok) && !ok) {
        fprintf(stderr, "rvvm: ctl: %s\n", error ? error : "refused");
        ctl->failed = true;
        return;
    }
    for (unsigned i = 0; i < answer.count; i++)
        if (strcmp(answer.members[i].name, "ok"))
            print_value(&answer.members[i]);
    fflush(stdout);
}

static void print_output(const struct json_object *event)
{
    const struct json_value *data = json_find(event, "data");
    if (!data || data->kind != JSON_STRING)
        return;
    char *bytes = malloc(data->size + 1);
    if (!bytes)
        return;
    memcpy(bytes, data->text, data->size);
    ptrdiff_t size = json_to_bytes(bytes, data->size);
    if (size > 0)
        fwrite(bytes, 1, (size_t)size, stdout);
    fflush(stdout);
    free(bytes);
}

/* The length of the next line, waiting for it; -1: said that there will be none, or not in time. */
static ptrdiff_t await_line(struct ctl *ctl)
{
    ptrdiff_t length;
    while ((length = next_line(ctl)) < 0) {
        if (ctl->deadline && clock_monotonic_ns() > ctl->deadline)
            return -1;
        wait_for(ctl, false);
        if (!fetch(ctl) && next_line(ctl) < 0) {
            ctl_complain("the machine", "has gone without an answer");
            ctl->failed = true;
            return -1;
        }
    }
    return length;
}

bool ctl_next(struct ctl *ctl, struct json_object *line)
{
    if (ctl->used)
        drop_line(ctl, ctl->used - 1);
    ctl->used = 0;
    ptrdiff_t length = await_line(ctl);
    if (length < 0 || !parse_members(ctl->line, (size_t)length, line))
        return false;
    ctl->used = (size_t)length + 1;
    return true;
}

bool ctl_answer(struct ctl *ctl, const char *command, struct json_object *answer)
{
    bool ok = false;
    do {
        if (!ctl_next(ctl, answer))
            return false;
    } while (json_find(answer, "event"));
    const char *error = json_string(answer, "error");
    if (!json_boolean(answer, "ok", &ok) || !ok)
        ctl_complain(command, error ? error : "refused");
    return ok;
}

/* One answer, and that was it. */
static void ask(struct ctl *ctl)
{
    ptrdiff_t length = await_line(ctl);
    if (length >= 0)
        print_answer(ctl, ctl->line, (size_t)length);
}

/* Lines as they come, answers and events alike. */
static void follow_events(struct ctl *ctl)
{
    bool more = true;
    while (more) {
        wait_for(ctl, false);
        more = fetch(ctl);
        for (ptrdiff_t length; (length = next_line(ctl)) >= 0; drop_line(ctl, (size_t)length)) {
            if (!strstr(ctl->line, "\"event\""))
                continue;
            fwrite(ctl->line, 1, (size_t)length + 1, stdout);
            fflush(stdout);
        }
    }
}

static bool send_input(struct ctl *ctl)
{
    char bytes[INPUT_PIECE];
    struct json_text request = {0};
    size_t size;
    enum stream_result result = stream_read(ctl->in, bytes, sizeof(bytes), &size);
    if (result != STREAM_OK)
        return result == STREAM_AGAIN;
    json_begin(&request);
    json_put_string(&request, "command", "input");
    json_put_bytes(&request, "data", bytes, size);
    json_end(&request);
    return send_text(ctl, &request);
}

static void be_terminal(struct ctl *ctl)
{
    bool more = true;
    ctl->in = stream_stdin();
    while (more) {
        bool input = wait_for(ctl, true);
        more = (!input || send_input(ctl)) && fetch(ctl);
        for (ptrdiff_t length; (length = next_line(ctl)) >= 0;) {
            struct json_object event;
            char *line = ctl->line;
            if (!parse_members(line, (size_t)length, &event))
                ctl->failed = true;
            else if (json_string(&event, "event"))
                print_output(&event);
            drop_line(ctl, (size_t)length);
        }
    }
}

/*
 * Main memory into a file. The machine may not open files while it runs, so that a guest which breaks out
 * cannot: the client does, piece by piece, while the machine pauses.
 */

static bool answer_to(struct ctl *ctl, struct json_text *request, struct json_object *answer)
{
    return send_text(ctl, request) && ctl_answer(ctl, "dump", answer);
}

static bool command(struct ctl *ctl, const char *name, struct json_object *answer)
{
    struct json_text request = {0};
    json_begin(&request);
    json_put_string(&request, "command", name);
    json_end(&request);
    return answer_to(ctl, &request, answer);
}

static bool dump_piece(struct ctl *ctl, FILE *file, uint64_t address, uint64_t size)
{
    struct json_text request = {0};
    struct json_object answer;
    json_begin(&request);
    json_put_string(&request, "command", "memory");
    json_put_integer(&request, "address", address);
    json_put_integer(&request, "size", size);
    json_end(&request);
    const char *data = answer_to(ctl, &request, &answer) ? json_string(&answer, "data") : NULL;
    if (!data || strlen(data) != 2 * size)
        return false;
    for (; *data; data += 2) {
        char digits[3] = {data[0], data[1], '\0'};
        putc((int)strtoul(digits, NULL, 16), file);
    }
    return !ferror(file);
}

static bool dump_all(struct ctl *ctl, FILE *file, uint64_t base, uint64_t size)
{
    for (uint64_t at = 0, piece; at < size; at += piece) {
        piece = size - at < DUMP_PIECE ? size - at : DUMP_PIECE;
        if (!dump_piece(ctl, file, base + at, piece))
            return false;
    }
    return true;
}

static void dump(struct ctl *ctl, const char *path)
{
    struct json_object answer;
    uint64_t base, size;
    ctl->failed = true;
    if (!command(ctl, "status", &answer))
        return;
    const char *state = json_string(&answer, "state");
    bool running = state && !strcmp(state, "running");
    if (!json_integer(&answer, "memory_base", UINT64_MAX, &base) ||
        !json_integer(&answer, "memory", UINT64_MAX, &size) || !command(ctl, "pause", &answer))
        return;
    FILE *file = file_open_output(path);
    bool ok = file && dump_all(ctl, file, base, size), bad = !file || ferror(file);
    if (file && fclose(file))
        bad = true;
    if (bad)
        ctl_complain(path, strerror(errno));
    ok = ok && !bad;
    ctl->failed = (running && !command(ctl, "resume", &answer)) || !ok;
}

static void run(struct ctl *ctl, int argc, char **argv)
{
    struct json_text request = {0};
    bool events = !strcmp(argv[0], "events"), terminal = !strcmp(argv[0], "terminal");
    if (!strcmp(argv[0], "dump")) {
        dump(ctl, argv[1]);
        return;
    }
    if (!strcmp(argv[0], "drive-add") || !strcmp(argv[0], "drive-remove")) {
        ctl->failed = !(argv[0][6] == 'a' ? ctl_add_drive(ctl, argv[1], argv[2])
                                          : ctl_remove_drive(ctl, argv[1], argc == 3));
        return;
    }
    if (events || terminal) {
        json_begin(&request);
        json_put_string(&request, "command", argv[0]);
        json_put_boolean(&request, "on", true);
        json_end(&request);
        (void)argc;
    } else if (!make_request(&request, argc, argv)) {
        free(request.at);
        return;
    }
    if (!send_text(ctl, &request)) {
        ctl_complain("the machine", "does not listen any more");
        ctl->failed = true;
    } else if (events) {
        follow_events(ctl);
    } else if (terminal) {
        be_terminal(ctl);
    } else {
        ask(ctl);
    }
}

void ctl_list(char *text, size_t size)
{
    size_t used = 0;
    for (unsigned i = 0; i < COMMANDS && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "", commands[i].name);
}

int ctl_main(int argc, char **argv)
{
    struct ctl ctl = {.fd = -1};
    struct json_text probe = {0};
    if (argc > 1 &&
        (!strcmp(argv[1], "-h") || !strcmp(argv[1], "-help") || !strcmp(argv[1], "--help"))) {
        print_usage(stdout);
        return 0;
    }
    if (argc < 3) {
        ctl_complain("usage", "rvvm ctl SOCKET COMMAND [ARGUMENT...] (rvvm ctl -h lists them)");
        return CTL_USAGE;
    }
    bool good = make_request(&probe, argc - 2, argv + 2);
    free(probe.at);
    if (!good)
        return CTL_USAGE;
    ctl.line = malloc(LINE_MAX_BYTES + 1);
    if (!ctl.line || !connect_to(&ctl, argv[1]))
        ctl.failed = true;
    else
        run(&ctl, argc - 2, argv + 2);
    if (ctl.fd >= 0)
        stream_close(ctl.fd);
    free(ctl.line);
    return ctl.failed ? CTL_FAILED : 0;
}
