/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Serial lines that lead out of the terminal (src/ui/, src/machine/chardev.c): files, pseudo
 * terminals, sockets. Again: tools/run-tests unit/chardev_test
 */
#include "serial_rig.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

static char folder[] = "/tmp/rvvm-chardev-XXXXXX"; /* every file that is made is in it */

static const char *in_folder(const char *prefix, const char *name)
{
    static char spec[100];
    snprintf(spec, sizeof(spec), "%s%s/%s", prefix, folder, name);
    return spec;
}

/*
 * Peers.
 */

static int open_side(const char *path)
{
    struct termios t;
    int fd = open(path, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(tcgetattr(fd, &t), 0);
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
    return fd;
}

/* Of the pseudo terminal, by the name that was logged. */
static int open_other_side(struct rig *rig)
{
    const char *path = strstr(rig->line, "/dev/");
    assert_non_null(path);
    return open_side(path);
}

static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    return address;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int connect_tcp(struct rig *rig)
{
    const char *port = strrchr(rig->line, ':');
    assert_non_null(port);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void says(int fd, const char *text)
{
    char got[256] = "";
    assert_int_equal(peer_read(fd, got, strlen(text)), strlen(text));
    assert_string_equal(got, text);
}

static void hears(struct rig *rig, const char *text)
{
    char got[256] = "";
    assert_int_equal(guest_read(rig, got, strlen(text)), strlen(text));
    assert_string_equal(got, text);
}

static void prints(struct rig *rig, const char *text)
{
    assert_int_equal(guest_write(rig, text, strlen(text)), strlen(text));
}

static void types(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/*
 * Words.
 */

static void bad_words_are_refused_in_one_line(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "stdi",
        "stdio2",
        "stdio:",
        "null:x",
        "pty:/dev/x",
        "file",
        "file:",
        "unix",
        "unix:",
        "tcp",
        "tcp:",
        "tcp:1234",
        "tcp:localhost",
        ":",
        "tcp::",
        "tcp:localhost:",
        "tcp:localhost:65536",
        "tcp:localhost:x",
        "tcp:[::1:5",
        "tcp:no such host:5",
        "udp:localhost:5",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rig rig;
        struct error err;
        assert_false(rig_try_open(&rig, bad[i], &err));
        assert_true(err.text[0] && !strchr(err.text, '\n'));
        rig_close(&rig);
    }
}

static void words_are_checked_without_opening(void **state)
{
    (void)state;
    struct error err = {0};
    const char *spec = in_folder("file:", "unmade");
    assert_true(chardev_check(spec, &err));
    assert_int_equal(access(spec + 5, F_OK), -1);
    assert_true(chardev_check("stdio", &err));
    assert_true(chardev_check("tcp:localhost:1", &err));
    assert_string_equal(err.text, "");
    assert_false(chardev_check("file:", &err));
    assert_non_null(strstr(err.text, "file:PATH"));
    assert_false(chardev_check("serial", &err));
    assert_non_null(strstr(err.text, "'serial'"));
}

static void fails_naming(const char *spec, const char *part)
{
    struct rig rig;
    struct error err;
    assert_false(rig_try_open(&rig, spec, &err));
    if (!strstr(err.text, part))
        fail_msg("%s: '%s' does not say '%s'", spec, err.text, part);
    rig_close(&rig);
}

static void unusable_paths_are_named(void **state)
{
    (void)state;
    fails_naming("file:/nowhere/at/all", "/nowhere/at/all: ");
    fails_naming("file:/", "/: ");
    fails_naming("unix:/nowhere/at/all", "/nowhere/at/all: ");

    const char *pipe_spec = in_folder("file:", "pipe");
    assert_int_equal(mkfifo(pipe_spec + 5, 0600), 0);
    fails_naming(pipe_spec, "nobody reads");

    const char *file = in_folder("unix:", "plain");
    close(open(file + 5, O_CREAT | O_WRONLY, 0600));
    fails_naming(file, "not a socket");
    assert_int_equal(access(file + 5, F_OK), 0); /* it was not replaced */

    char long_spec[300] = "unix:/tmp/";
    memset(long_spec + strlen(long_spec), 'x', 200);
    fails_naming(long_spec, "bytes");

    struct rig rig;
    char busy[64];
    rig_open(&rig, "tcp:127.0.0.1:0");
    snprintf(busy, sizeof(busy), "tcp:127.0.0.1%s", strrchr(rig.line, ':'));
    fails_naming(busy, "cannot listen");
    rig_close(&rig);

    const char *spec = in_folder("unix:", "busy");
    rig_open(&rig, spec);
    fails_naming(spec, "in use");
    rig_close(&rig);
    assert_int_equal(access(spec + 5, F_OK), -1); /* it is cleared away */
}

static void stale_socket_is_replaced(void **state)
{
    (void)state;
    const char *spec = in_folder("unix:", "stale");
    struct sockaddr_un address = unix_address(spec + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);

    struct rig rig;
    rig_open(&rig, spec);
    close(connect_unix(spec + 5));
    rig_close(&rig);
}

/*
 * Null and file.
 */

static void null_takes_all_and_gives_nothing(void **state)
{
    (void)state;
    struct rig rig;
    char bytes[16];
    rig_open(&rig, "null");
    rig_attach(&rig);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(chardev_write(rig.cd, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(chardev_read(rig.cd, bytes, sizeof(bytes)), 0);
    rig_close(&rig);
}

static void file_holds_all_that_was_written(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("file:", "out");
    uint8_t *bytes = pattern(MEGABYTE, 3), *got = malloc(MEGABYTE + 1);
    rig_open(&rig, spec);
    rig_attach(&rig);
    assert_int_equal(guest_write(&rig, bytes, MEGABYTE), MEGABYTE);
    chardev_drain(rig.cd);
    int fd = open(spec + 5, O_RDONLY);
    assert_int_equal(peer_read(fd, got, MEGABYTE + 1), MEGABYTE);
    assert_memory_equal(got, bytes, MEGABYTE);
    close(fd);
    rig_close(&rig);
    free(bytes);
    free(got);
}

static void full_disk_is_logged_once_and_stops_nobody(void **state)
{
    (void)state;
    struct rig rig;
    uint8_t *bytes = pattern(MEGABYTE, 4);
    rig_open(&rig, "file:/dev/full");
    rig_attach(&rig);
    assert_int_equal(guest_write(&rig, bytes, MEGABYTE), MEGABYTE);
    chardev_drain(rig.cd);
    assert_true(rig_counted(&rig, &rig.lines) || rig_wait(&rig, &rig.lines, 0));
    assert_int_equal(guest_write(&rig, bytes, MEGABYTE), MEGABYTE);
    rig_close(&rig);
    assert_int_equal(rig.lines, 1);
    free(bytes);
}

/*
 * Two ways.
 */

static void megabyte_passes_through_a_pty(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "pty");
    rig_attach(&rig);
    int fd = open_other_side(&rig);
    peer_meets_guest(&rig, fd);
    exchange_a_megabyte(&rig, fd, fd);
    close(fd);
    rig_close(&rig);
}

static void megabyte_passes_through_a_unix_socket(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("unix:", "socket");
    rig_open(&rig, spec);
    rig_attach(&rig);
    int fd = connect_unix(spec + 5);
    peer_meets_guest(&rig, fd);
    exchange_a_megabyte(&rig, fd, fd);
    close(fd);
    rig_close(&rig);
}

static void megabyte_passes_through_tcp(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "tcp:127.0.0.1:0");
    rig_attach(&rig);
    int fd = connect_tcp(&rig);
    peer_meets_guest(&rig, fd);
    exchange_a_megabyte(&rig, fd, fd);
    close(fd);
    rig_close(&rig);
}

/* Writes until the line has taken nothing for a while. Returns how many bytes it took. */
static size_t fill_line(struct rig *rig, const uint8_t *bytes, size_t size)
{
    size_t done = 0;
    for (int quiet = 0; quiet < 20 && done < size; quiet++) {
        size_t n = chardev_write(rig->cd, bytes + done, size - done);
        done += n;
        if (n)
            quiet = 0;
        else
            usleep(10000);
    }
    return done;
}

/* The guest goes on at the speed of its reader, and everything it could write arrives. */
static void stuck_reader_fills_the_line_and_loses_nothing(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("unix:", "slow");
    uint8_t *bytes = pattern(MEGABYTE, 5), *got = malloc(MEGABYTE);
    rig_open(&rig, spec);
    rig_attach(&rig);
    int fd = connect_unix(spec + 5);
    peer_meets_guest(&rig, fd);

    size_t done = fill_line(&rig, bytes, MEGABYTE);
    assert_true(done > 65000 && done < MEGABYTE);
    unsigned seen = rig_counted(&rig, &rig.writable);
    assert_int_equal(chardev_write(rig.cd, bytes + done, 1), 0);

    assert_int_equal(peer_read(fd, got, done), done);
    assert_memory_equal(got, bytes, done);
    assert_true(rig_counted(&rig, &rig.writable) != seen || rig_wait(&rig, &rig.writable, seen));
    prints(&rig, "more");
    says(fd, "more");
    close(fd);
    rig_close(&rig);
    free(bytes);
    free(got);
}

static void end_does_not_wait_for_ever_for_a_stuck_reader(void **state)
{
    (void)state;
    struct rig rig;
    struct timespec start, end;
    const char *spec = in_folder("unix:", "stuck");
    uint8_t *bytes = pattern(MEGABYTE, 8);
    rig_open(&rig, spec);
    int fd = connect_unix(spec + 5);
    peer_meets_guest(&rig, fd);
    assert_true(fill_line(&rig, bytes, MEGABYTE) < MEGABYTE);
    clock_gettime(CLOCK_MONOTONIC, &start);
    chardev_drain(rig.cd);
    rig_close(&rig); /* drains again */
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_in_range(end.tv_sec - start.tv_sec, 1, PATIENCE);
    close(fd);
    free(bytes);
}

/* Input that comes before the front waits; the channel stops reading when it is full. */
static void input_waits_for_the_guest(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("unix:", "early");
    uint8_t *bytes = pattern(MEGABYTE, 6), *got = malloc(MEGABYTE);
    rig_open(&rig, spec);
    int fd = connect_unix(spec + 5);
    peer_meets_guest(&rig, fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    size_t sent = 0;
    for (int quiet = 0; quiet < 20;) {
        ssize_t n = write(fd, bytes + sent, MEGABYTE - sent);
        if (n > 0)
            sent += (size_t)n;
        quiet = n > 0 ? 0 : quiet + 1;
        usleep(5000);
    }
    assert_true(sent > 65000 && sent < MEGABYTE);
    assert_int_equal(rig_counted(&rig, &rig.readable), 0);
    rig_attach(&rig);
    assert_true(rig_counted(&rig, &rig.readable) || rig_wait(&rig, &rig.readable, 0));

    struct transfer rest = {.fd = fd, .bytes = bytes + sent, .size = MEGABYTE - sent};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, peer_writes, &rest), 0);
    assert_int_equal(guest_read(&rig, got, MEGABYTE), MEGABYTE);
    pthread_join(thread, NULL);
    assert_memory_equal(got, bytes, MEGABYTE);
    close(fd);
    rig_close(&rig);
    free(bytes);
    free(got);
}

static void front_that_let_go_is_not_called(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("unix:", "gone");
    rig_open(&rig, spec);
    rig_attach(&rig);
    int fd = connect_unix(spec + 5);
    types(fd, "one");
    hears(&rig, "one");
    chardev_attach(rig.cd, NULL);
    unsigned seen = rig_counted(&rig, &rig.readable);
    types(fd, "two");
    usleep(50000);
    assert_int_equal(rig_counted(&rig, &rig.readable), seen);
    rig_attach(&rig);
    hears(&rig, "two");
    close(fd);
    rig_close(&rig);
}

/*
 * Coming and going.
 */

static void clients_come_one_after_the_other(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("unix:", "clients");
    rig_open(&rig, spec);
    rig_attach(&rig);
    prints(&rig, "nobody hears this");
    for (int i = 0; i < 5; i++) {
        int fd = connect_unix(spec + 5);
        types(fd, "knock");
        hears(&rig, "knock");
        prints(&rig, "come in");
        says(fd, "come in");
        close(fd);
    }
    rig_close(&rig);
}

static void second_client_waits_for_the_first_to_go(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "tcp:127.0.0.1:0");
    rig_attach(&rig);
    int first = connect_tcp(&rig);
    types(first, "first");
    hears(&rig, "first");
    int second = connect_tcp(&rig);
    types(second, "second");
    prints(&rig, "to the first");
    says(first, "to the first");
    assert_true(peer_is_silent(second, 100));
    close(first);
    hears(&rig, "second");
    prints(&rig, "to the second");
    says(second, "to the second");
    close(second);
    rig_close(&rig);
}

/* As with `echo date | nc`: the answer still arrives after the client's last word. */
static void client_that_only_listens_gets_the_answer(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "tcp:127.0.0.1:0");
    rig_attach(&rig);
    int first = connect_tcp(&rig);
    types(first, "date");
    shutdown(first, SHUT_WR);
    hears(&rig, "date");
    prints(&rig, "today");
    says(first, "today");
    assert_true(peer_is_silent(first, 50));

    int second = connect_tcp(&rig); /* takes the place */
    types(second, "next");
    hears(&rig, "next");
    char byte;
    assert_int_equal(peer_read(first, &byte, 1), 0);
    close(first);
    close(second);
    rig_close(&rig);
}

/* A client that vanishes with data on the way resets the connection. */
static void reset_connection_frees_the_place(void **state)
{
    (void)state;
    struct rig rig;
    const struct linger abort_it = {1, 0};
    rig_open(&rig, "tcp:127.0.0.1:0");
    rig_attach(&rig);
    for (int i = 0; i < 3; i++) {
        int fd = connect_tcp(&rig);
        types(fd, "here");
        hears(&rig, "here");
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it));
        close(fd);
        prints(&rig, "is anybody there?");
    }
    rig_close(&rig);
}

static void client_that_goes_frees_a_waiting_transmitter(void **state)
{
    (void)state;
    struct rig rig;
    const char *spec = in_folder("unix:", "leaves");
    rig_open(&rig, spec);
    rig_attach(&rig);
    int fd = connect_unix(spec + 5);
    peer_meets_guest(&rig, fd);
    uint8_t *bytes = pattern(MEGABYTE, 7);
    struct transfer write = {.rig = &rig, .bytes = bytes, .size = MEGABYTE};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, guest_writes, &write), 0);
    usleep(100000);
    close(fd);
    pthread_join(thread, NULL);
    assert_int_equal(write.done, MEGABYTE); /* dropped */
    rig_close(&rig);
    free(bytes);
}

static void pty_is_opened_and_closed_again_and_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "pty");
    rig_attach(&rig);
    prints(&rig, "nobody hears this");
    for (int i = 0; i < 3; i++) {
        int fd = open_other_side(&rig);
        peer_meets_guest(&rig, fd);
        types(fd, "knock");
        hears(&rig, "knock");
        prints(&rig, "come in");
        says(fd, "come in");
        close(fd);
    }
    rig_close(&rig);
}

/* As with `echo reboot >/dev/pts/5`. */
static void pty_hears_a_program_that_comes_and_goes_at_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig, "pty");
    rig_attach(&rig);
    for (int i = 0; i < 3; i++) {
        int fd = open_other_side(&rig);
        types(fd, "reboot");
        close(fd);
        hears(&rig, "reboot");
    }
    rig_close(&rig);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const made[] = {"pipe", "plain", "out"};
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        unlink(in_folder("", made[i]));
    return rmdir(folder); /* sockets have cleared themselves away */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_words_are_refused_in_one_line),
        cmocka_unit_test(words_are_checked_without_opening),
        cmocka_unit_test(unusable_paths_are_named),
        cmocka_unit_test(stale_socket_is_replaced),
        cmocka_unit_test(null_takes_all_and_gives_nothing),
        cmocka_unit_test(file_holds_all_that_was_written),
        cmocka_unit_test(full_disk_is_logged_once_and_stops_nobody),
        cmocka_unit_test(megabyte_passes_through_a_pty),
        cmocka_unit_test(megabyte_passes_through_a_unix_socket),
        cmocka_unit_test(megabyte_passes_through_tcp),
        cmocka_unit_test(stuck_reader_fills_the_line_and_loses_nothing),
        cmocka_unit_test(end_does_not_wait_for_ever_for_a_stuck_reader),
        cmocka_unit_test(input_waits_for_the_guest),
        cmocka_unit_test(front_that_let_go_is_not_called),
        cmocka_unit_test(clients_come_one_after_the_other),
        cmocka_unit_test(second_client_waits_for_the_first_to_go),
        cmocka_unit_test(client_that_only_listens_gets_the_answer),
        cmocka_unit_test(reset_connection_frees_the_place),
        cmocka_unit_test(client_that_goes_frees_a_waiting_transmitter),
        cmocka_unit_test(pty_is_opened_and_closed_again_and_again),
        cmocka_unit_test(pty_hears_a_program_that_comes_and_goes_at_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
