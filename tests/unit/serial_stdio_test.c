/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The serial line on standard input and output (src/ui/serial_stdio.c), on pipes and on a terminal.
 * Again: tools/run-tests unit/serial_stdio_test
 */
#include "serial_rig.h"
#include "host/terminal.h"
#include <pty.h>
#include <termios.h>

/* A back opened with 0 and 1 as given; this program gets its own back at once. */
static void open_on(struct rig *rig, int in, int out)
{
    struct error err;
    int own_in = dup(0), own_out = dup(1);
    fflush(stdout);
    dup2(in, 0);
    dup2(out, 1);
    bool opened = rig_try_open(rig, "stdio", &err);
    dup2(own_in, 0);
    dup2(own_out, 1);
    close(own_in);
    close(own_out);
    if (!opened)
        fail_msg("stdio: %s", err.text);
}

struct terminal {
    int user, side; /* who types; what the process has as its standard input and output */
};

static struct terminal new_terminal(void)
{
    struct terminal t;
    assert_int_equal(openpty(&t.user, &t.side, NULL, NULL, NULL), 0);
    return t;
}

static void close_terminal(const struct terminal *t)
{
    close(t->user);
    close(t->side);
}

static void type(const struct terminal *t, const void *keys, size_t size)
{
    assert_int_equal(peer_write(t->user, keys, size), size);
}

/*
 * Pipes.
 */

static void pipes_carry_every_byte(void **state)
{
    (void)state;
    struct rig rig;
    int in[2], out[2];
    static const char keys[] = "\001x\001h\001b\001\001\003\032";
    char got[sizeof(keys)];
    assert_int_equal(pipe(in) | pipe(out), 0);
    open_on(&rig, in[0], out[1]);
    rig_attach(&rig);
    assert_int_equal(peer_write(in[1], keys, sizeof(keys)), sizeof(keys));
    assert_int_equal(guest_read(&rig, got, sizeof(got)), sizeof(got));
    assert_memory_equal(got, keys, sizeof(keys));
    exchange_a_megabyte(&rig, out[0], in[1]);
    assert_true(peer_is_silent(out[0], 20));
    rig_close(&rig);
    assert_int_equal(rig.quits + rig.breaks + rig.lines, 0);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
}

/* The shell that started us reads them after us. */
static void modes_of_shared_descriptors_stay(void **state)
{
    (void)state;
    struct rig rig;
    int in[2], out[2];
    assert_int_equal(pipe(in) | pipe(out), 0);
    open_on(&rig, in[0], out[1]);
    assert_int_equal(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(fcntl(out[1], F_GETFL) & O_NONBLOCK, 0);
    rig_close(&rig);
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
}

static void end_of_input_leaves_output(void **state)
{
    (void)state;
    struct rig rig;
    int in[2], out[2];
    char got[8] = "";
    assert_int_equal(pipe(in) | pipe(out), 0);
    open_on(&rig, in[0], out[1]);
    rig_attach(&rig);
    assert_int_equal(peer_write(in[1], "last", 4), 4);
    close(in[1]);
    assert_int_equal(guest_read(&rig, got, 4), 4);
    usleep(50000);
    assert_int_equal(guest_write(&rig, "words", 5), 5);
    assert_int_equal(peer_read(out[0], got, 5), 5);
    assert_string_equal(got, "words");
    rig_close(&rig);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}

/* As with `rvvm ... | head`: no signal, the guest goes on. */
static void reader_that_goes_is_logged_and_leaves_input(void **state)
{
    (void)state;
    struct rig rig;
    int in[2], out[2];
    char got[8] = "";
    assert_int_equal(pipe(in) | pipe(out), 0);
    open_on(&rig, in[0], out[1]);
    rig_attach(&rig);
    close(out[0]);
    assert_int_equal(guest_write(&rig, "lost", 4), 4);
    assert_true(rig_counted(&rig, &rig.lines) || rig_wait(&rig, &rig.lines, 0));
    assert_non_null(strstr(rig.line, "standard output"));
    assert_int_equal(guest_write(&rig, "lost", 4), 4);
    assert_int_equal(peer_write(in[1], "still", 5), 5);
    assert_int_equal(guest_read(&rig, got, 5), 5);
    assert_string_equal(got, "still");
    rig_close(&rig);
    assert_int_equal(rig.lines, 1);
    close(in[0]);
    close(in[1]);
    close(out[1]);
}

/*
 * A terminal.
 */

static void terminal_is_raw_until_the_end(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    struct termios before, during, after;
    tcgetattr(t.side, &before);
    assert_true(before.c_lflag & ICANON);
    open_on(&rig, t.side, t.side);
    assert_true(terminal_is_raw());
    tcgetattr(t.side, &during);
    assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(during.c_oflag & OPOST, 0);
    rig_close(&rig);
    assert_false(terminal_is_raw());
    tcgetattr(t.side, &after);
    assert_int_equal(after.c_iflag, before.c_iflag);
    assert_int_equal(after.c_oflag, before.c_oflag);
    assert_int_equal(after.c_cflag, before.c_cflag);
    assert_int_equal(after.c_lflag, before.c_lflag);
    assert_memory_equal(after.c_cc, before.c_cc, sizeof(after.c_cc));
    close_terminal(&t);
}

static void megabyte_is_pasted_and_printed(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    open_on(&rig, t.side, t.side);
    rig_attach(&rig);
    exchange_a_megabyte(&rig, t.user, t.user);
    rig_close(&rig);
    close_terminal(&t);
}

/* Keys typed at a guest, what of them it gets, and how often the rest was done. */
struct keys {
    const char *typed;
    const char *heard;
    unsigned quits, breaks;
};

static const struct keys table[] = {
    {"plain", "plain", 0, 0},
    {"a\001xb", "ab", 1, 0},
    {"a\001Xb", "ab", 1, 0},
    {"a\001bc", "ac", 0, 1},
    {"\001b\001b.", ".", 0, 2},
    {"a\001\001b", "a\001b", 0, 0},
    {"a\001ab", "a\001b", 0, 0},
    {"\001\001\001\001.", "\001\001.", 0, 0},
    {"\001\001x", "\001x", 0, 0},
    {"\001z", "\001z", 0, 0},
    {"\003\004\032\034\021\023\r\n\177\033[A.", "\003\004\032\034\021\023\r\n\177\033[A.", 0, 0},
    {"x\001h.", "x.", 0, 0},
};

/* pieces: after how many keys there is a pause, so that the next come with another read. */
static void type_table(size_t piece)
{
    struct rig rig;
    struct terminal t = new_terminal();
    unsigned quits = 0, breaks = 0;
    open_on(&rig, t.side, t.side);
    rig_attach(&rig);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct keys *k = &table[i];
        size_t length = strlen(k->typed), heard = strlen(k->heard);
        char got[64] = "";
        for (size_t at = 0; at < length; at += piece) {
            type(&t, k->typed + at, length - at < piece ? length - at : piece);
            if (piece < length)
                usleep(5000);
        }
        assert_int_equal(guest_read(&rig, got, heard), heard);
        assert_string_equal(got, k->heard);
        assert_int_equal(rig_counted(&rig, &rig.quits), quits += k->quits);
        assert_int_equal(rig_counted(&rig, &rig.breaks), breaks += k->breaks);
        char more;
        assert_int_equal(chardev_read(rig.cd, &more, 1), 0);
    }
    rig_close(&rig);
    close_terminal(&t);
}

static void escape_keys_typed_at_once(void **state)
{
    (void)state;
    type_table(100);
}

static void escape_keys_typed_one_by_one(void **state)
{
    (void)state;
    type_table(1);
}

static void escape_keys_typed_in_twos(void **state)
{
    (void)state;
    type_table(2);
}

/* Wherever the escape key falls in the pieces that the terminal is read in. */
static void escape_key_at_every_place_of_a_long_paste(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    enum { SIZE = 8192 };
    uint8_t *text = pattern(SIZE, 11), *typed = malloc(2 * SIZE), *got = malloc(SIZE);
    size_t length = 0;
    /* A doubled Ctrl-A for each byte that is a multiple of 7, among them many at an edge. */
    for (size_t i = 0; i < SIZE; i++) {
        if (text[i] % 7 == 0) {
            text[i] = 1;
            typed[length++] = 1;
        }
        typed[length++] = text[i];
    }
    open_on(&rig, t.side, t.side);
    rig_attach(&rig);
    struct transfer sent = {.fd = t.user, .bytes = typed, .size = length};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, peer_writes, &sent), 0);
    assert_int_equal(guest_read(&rig, got, SIZE), SIZE);
    pthread_join(thread, NULL);
    assert_memory_equal(got, text, SIZE);
    rig_close(&rig);
    assert_int_equal(rig.quits + rig.breaks, 0);
    close_terminal(&t);
    free(text);
    free(typed);
    free(got);
}

/* A guest that hangs reads nothing, and a megabyte was pasted at it. */
static void quit_gets_through_to_the_end(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    uint8_t *text = pattern(MEGABYTE, 12);
    open_on(&rig, t.side, t.side);
    rig_attach(&rig);
    type(&t, text, MEGABYTE);
    type(&t, "\001x", 2);
    assert_true(rig_counted(&rig, &rig.quits) || rig_wait(&rig, &rig.quits, 0));
    rig_close(&rig);
    close_terminal(&t);
    free(text);
}

/* A key that is not ours becomes two bytes for the guest; there is room for both or none is read. */
static void full_line_keeps_a_key_after_the_escape_key(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    enum {
        HELD = 4 << 20,
        SIZE = HELD + 100,
        AT = HELD - 100
    }; /* HELD: serial_stdio.c's IN_SIZE */
    uint8_t *text = pattern(SIZE, 14), *got = malloc(SIZE);
    memcpy(text + AT, "\001z", 2);
    open_on(&rig, t.side, t.side);
    type(&t, text, AT + 1);
    usleep(100000); /* so that what follows comes with another read */
    type(&t, text + AT + 1, SIZE - AT - 1);
    usleep(100000); /* what the line does not hold waits in the terminal */
    rig_attach(&rig);
    assert_int_equal(guest_read(&rig, got, SIZE), SIZE);
    assert_memory_equal(got, text, SIZE);
    rig_close(&rig);
    close_terminal(&t);
    free(text);
    free(got);
}

static void help_is_shown_on_the_terminal(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    char got[2048] = "";
    size_t size = 0;
    open_on(&rig, t.side, t.side);
    rig_attach(&rig);
    type(&t, "\001h", 2);
    while (size < sizeof(got) - 1 && !peer_is_silent(t.user, size ? 50 : PATIENCE * 1000))
        size += (size_t)read(t.user, got + size, sizeof(got) - 1 - size);
    assert_non_null(strstr(got, "Ctrl-A x"));
    assert_non_null(strstr(got, "Ctrl-A b"));
    for (const char *line = got; (line = strchr(line, '\n')); line++)
        assert_true(line > got && line[-1] == '\r'); /* the terminal is raw */
    rig_close(&rig);
    close_terminal(&t);
}

/* As with `rvvm ... | tee log`: what is piped is the guest's output only. */
static void help_does_not_go_into_a_pipe(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    int out[2];
    assert_int_equal(pipe(out), 0);
    open_on(&rig, t.side, out[1]);
    rig_attach(&rig);
    type(&t, "\001h", 2);
    assert_true(rig_counted(&rig, &rig.lines) || rig_wait(&rig, &rig.lines, 0));
    assert_non_null(strstr(rig.line, "Ctrl-A x"));
    assert_true(peer_is_silent(out[0], 20));
    rig_close(&rig);
    close(out[0]);
    close(out[1]);
    close_terminal(&t);
}

/* It stops printing; nothing that the guest could write is lost, and the guest is not stuck for good. */
static void terminal_that_stops_reading_loses_nothing(void **state)
{
    (void)state;
    struct rig rig;
    struct terminal t = new_terminal();
    uint8_t *bytes = pattern(MEGABYTE, 13), *got = malloc(MEGABYTE);
    open_on(&rig, t.side, t.side);
    rig_attach(&rig);
    struct transfer write = {.rig = &rig, .bytes = bytes, .size = MEGABYTE};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, guest_writes, &write), 0);
    usleep(300000);
    type(&t, "\001x", 2); /* input is not held up */
    assert_true(rig_counted(&rig, &rig.quits) || rig_wait(&rig, &rig.quits, 0));
    assert_int_equal(peer_read(t.user, got, MEGABYTE), MEGABYTE);
    pthread_join(thread, NULL);
    assert_int_equal(write.done, MEGABYTE);
    assert_memory_equal(got, bytes, MEGABYTE);
    rig_close(&rig);
    close_terminal(&t);
    free(bytes);
    free(got);
}

static void second_terminal_is_refused(void **state)
{
    (void)state;
    struct rig rig, other;
    struct terminal t = new_terminal();
    struct termios before, after;
    struct error err;
    int own = dup(0);
    open_on(&rig, t.side, t.side);
    dup2(t.side, 0);
    bool opened = rig_try_open(&other, "stdio", &err);
    dup2(own, 0);
    close(own);
    assert_false(opened);
    assert_non_null(strstr(err.text, "terminal"));
    rig_close(&other);
    tcgetattr(t.side, &before);
    assert_int_equal(before.c_lflag & ICANON, 0); /* the first one's is still raw */
    rig_close(&rig);
    tcgetattr(t.side, &after);
    assert_true(after.c_lflag & ICANON);
    close_terminal(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipes_carry_every_byte),
        cmocka_unit_test(modes_of_shared_descriptors_stay),
        cmocka_unit_test(end_of_input_leaves_output),
        cmocka_unit_test(reader_that_goes_is_logged_and_leaves_input),
        cmocka_unit_test(terminal_is_raw_until_the_end),
        cmocka_unit_test(megabyte_is_pasted_and_printed),
        cmocka_unit_test(escape_keys_typed_at_once),
        cmocka_unit_test(escape_keys_typed_one_by_one),
        cmocka_unit_test(escape_keys_typed_in_twos),
        cmocka_unit_test(escape_key_at_every_place_of_a_long_paste),
        cmocka_unit_test(quit_gets_through_to_the_end),
        cmocka_unit_test(full_line_keeps_a_key_after_the_escape_key),
        cmocka_unit_test(help_is_shown_on_the_terminal),
        cmocka_unit_test(help_does_not_go_into_a_pipe),
        cmocka_unit_test(terminal_that_stops_reading_loses_nothing),
        cmocka_unit_test(second_terminal_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
