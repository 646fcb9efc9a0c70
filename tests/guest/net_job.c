/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What a guest does to try its network (net.test), against servers of the host that send back what they get:
 *
 *     net_job many HOST PORT N         N connections at a time, each with bytes of its own
 *     net_job half HOST PORT           closes one direction and reads on
 *     net_job reset HOST PORT          is reset by the host; resets
 *     net_job udp HOST PORT            datagrams of every size class up to the largest
 *     net_job noise INTERFACE N SEED   N frames that make little sense
 *     net_job rate HOST PORT SECONDS   connects again and again, and says how often it was (for bench/)
 *     net_job serve PORT               sends back what each client sends, one after the other, and datagrams
 *
 * Ends with 0 when all was as it should be, and says what was not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define fail(...) \
    (printf("net_job: " __VA_ARGS__), printf(" (%s)\n", strerror(errno)), fflush(stdout), exit(1))

static struct sockaddr_storage server;
static socklen_t server_size;

static void find_server(const char *host, const char *port)
{
    struct sockaddr_in *v4 = (void *)&server;
    struct sockaddr_in6 *v6 = (void *)&server;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)atoi(port));
        server_size = sizeof(*v4);
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)atoi(port));
        server_size = sizeof(*v6);
    } else {
        fail("%s: no address", host);
    }
}

static int open_socket(int type)
{
    int fd = socket(server.ss_family, type, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&server, server_size) < 0)
        fail("connect");
    return fd;
}

/* Byte i of stream n. */
static uint8_t pattern(unsigned n, size_t i)
{
    return (uint8_t)(n * 31 + i * 7 + i / 253);
}

/*
 * Many connections. Each sends PER_CONNECTION bytes and gets them back.
 */

#define PER_CONNECTION 20000

struct connection {
    int fd;
    size_t sent, got;
};

static void move_bytes(struct connection *c, unsigned n, short events)
{
    uint8_t bytes[1500];
    if (events & POLLOUT && c->sent < PER_CONNECTION) {
        size_t size =
            PER_CONNECTION - c->sent < sizeof(bytes) ? PER_CONNECTION - c->sent : sizeof(bytes);
        for (size_t i = 0; i < size; i++)
            bytes[i] = pattern(n, c->sent + i);
        ssize_t done = send(c->fd, bytes, size, MSG_DONTWAIT);
        if (done < 0 && errno != EAGAIN)
            fail("connection %u: send", n);
        c->sent += done > 0 ? (size_t)done : 0;
    }
    if (events & (POLLIN | POLLHUP | POLLERR)) {
        ssize_t done = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (done == 0 || (done < 0 && errno != EAGAIN))
            fail("connection %u ended after %zu bytes", n, c->got);
        for (ssize_t i = 0; i < done; i++)
            if (bytes[i] != pattern(n, c->got + (size_t)i))
                fail("connection %u: byte %zu is wrong", n, c->got + (size_t)i);
        c->got += done > 0 ? (size_t)done : 0;
    }
}

static void many(unsigned count)
{
    struct connection *all = calloc(count, sizeof(*all));
    struct pollfd *polls = calloc(count, sizeof(*polls));
    for (unsigned n = 0; n < count; n++)
        all[n].fd = open_socket(SOCK_STREAM);
    for (unsigned left = count; left;) {
        left = 0;
        for (unsigned n = 0; n < count; n++) {
            short events = all[n].got < PER_CONNECTION ? POLLIN : 0;
            if (all[n].sent < PER_CONNECTION)
                events |= POLLOUT;
            polls[n] = (struct pollfd){.fd = events ? all[n].fd : -1, .events = events};
            left += events != 0;
        }
        if (left && poll(polls, count, 60000) <= 0)
            fail("%u connections stand still", left);
        for (unsigned n = 0; n < count; n++)
            if (polls[n].fd >= 0)
                move_bytes(&all[n], n, polls[n].revents);
    }
    printf("net_job: %u connections\n", count);
}

/*
 * Ends of connections
 */

static size_t read_all(int fd, unsigned n)
{
    uint8_t bytes[4096];
    size_t got = 0;
    ssize_t done;
    while ((done = read(fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < done; i++, got++)
            if (bytes[i] != pattern(n, got))
                fail("byte %zu is wrong", got);
    if (done < 0)
        fail("read after %zu bytes", got);
    return got;
}

/* The server begins to answer when it has seen the end. */
static void half(void)
{
    static uint8_t bytes[300000];
    int fd = open_socket(SOCK_STREAM);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = pattern(9, i);
    for (size_t sent = 0; sent < sizeof(bytes);) {
        ssize_t done = write(fd, bytes + sent, sizeof(bytes) - sent);
        if (done <= 0)
            fail("write after %zu bytes", sent);
        sent += (size_t)done;
    }
    if (shutdown(fd, SHUT_WR) < 0)
        fail("shutdown");
    if (read_all(fd, 9) != sizeof(bytes))
        fail("not all came back after the half close");
    puts("net_job: half closed");
}

static void reset(void)
{
    char byte = 'r';
    int fd = open_socket(SOCK_STREAM); /* 'r': the server resets */
    if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != -1 || errno != ECONNRESET)
        fail("not reset by the host");
    fd = open_socket(SOCK_STREAM); /* 'w': it waits, and notes what becomes of us */
    byte = 'w';
    struct linger linger = {.l_onoff = 1};
    if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1 ||
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
        fail("the host does not answer");
    close(fd);
    puts("net_job: reset");
}

/*
 * Datagrams: one may be lost on a busy machine, so each has several tries.
 */

static void try_datagram(int fd, size_t size)
{
    static uint8_t out[65507], in[65507 + 1];
    for (unsigned try = 0; try < 20; try++) {
        for (size_t i = 0; i < size; i++)
            out[i] = pattern((unsigned)size, i);
        if (send(fd, out, size, 0) != (ssize_t)size)
            fail("datagram of %zu bytes: send", size);
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        while (poll(&wait, 1, 3000) > 0) {
            ssize_t got = recv(fd, in, sizeof(in), 0);
            if (got == (ssize_t)size && !memcmp(in, out, size))
                return;
            if (got == (ssize_t)size)
                fail("datagram of %zu bytes: other bytes came back", size);
        }
    }
    fail("datagram of %zu bytes does not come back", size);
}

static void datagrams(void)
{
    int fd = open_socket(SOCK_DGRAM);
    int room = 1 << 20;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    static const size_t edges[] = {1,    2,    1471, 1472,  1473,  2951,  2952,  2953,  4095, 4096,
                                   8191, 8192, 9000, 16384, 32767, 32768, 65000, 65506, 65507};
    for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
        try_datagram(fd, edges[i]);
    for (size_t size = 1; size <= 65507; size += 1 + size / 7)
        try_datagram(fd, size);
    puts("net_job: datagrams");
}

/*
 * Noise: frames that begin well and go wrong somewhere, as a hostile kernel would send them.
 */

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static unsigned fold(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* A right header before a payload of noise, with a right checksum, so that it gets far. */
static size_t make_ipv4(uint8_t *frame, size_t payload)
{
    static const uint8_t protocols[] = {6, 17, 1, 2, 50, 255};
    uint8_t *ip = frame + 14;
    memcpy(frame + 12, "\x08\x00", 2);
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(20 + payload));
    put16(ip + 4, draw(4)); /* so that fragments meet */
    if (draw(3) == 0)
        put16(ip + 6, draw(2) << 13 | draw(8192));
    ip[8] = (uint8_t)(1 + draw(64));
    ip[9] = protocols[draw(6)];
    memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02", 7);
    ip[19] = (uint8_t)(draw(4) ? 2 + draw(3) : draw(256));
    uint8_t *l4 = ip + 20;
    static const uint16_t ports[] = {53, 67, 69, 7, 80, 123};
    if (payload >= 8) {
        put16(l4 + 2, ports[draw(6)]);
        if (ip[9] == 17)
            put16(l4 + 4, draw(4) ? (unsigned)payload : draw(65536)), put16(l4 + 6, 0);
        if (ip[9] == 6 && payload >= 20)
            l4[12] = (uint8_t)(draw(16) << 4);
        if (ip[9] == 1)
            l4[0] = (uint8_t)(draw(2) ? 8 : draw(20));
    }
    if (ip[9] == 6 && payload >= 20) {
        put16(l4 + 16, 0);
        put16(l4 + 16, ~fold(l4, payload, fold(ip + 12, 8, (uint32_t)(6 + payload))) & 0xffff);
    }
    if (ip[9] == 1 && payload >= 4) {
        put16(l4 + 2, 0);
        put16(l4 + 2, ~fold(l4, payload, 0) & 0xffff);
    }
    put16(ip + 10, ~fold(ip, 20, 0) & 0xffff);
    return 34 + payload;
}

static size_t make_ipv6(uint8_t *frame, size_t payload)
{
    static const uint8_t next[] = {6, 17, 58, 0, 43, 44, 60};
    uint8_t *ip = frame + 14;
    memcpy(frame + 12, "\x86\xdd\x60\0\0\0", 6);
    put16(ip + 4, (unsigned)payload);
    ip[6] = next[draw(7)];
    ip[7] = (uint8_t)(draw(2) ? 255 : draw(256));
    memset(ip + 8, 0, 32);
    memcpy(ip + 8, "\xfe\xc0", 2);
    ip[23] = 15;
    memcpy(ip + 24, draw(2) ? "\xfe\xc0" : "\xff\x02", 2);
    ip[39] = (uint8_t)(1 + draw(3));
    if (ip[6] == 58 && payload >= 4) {
        ip[40] = (uint8_t)(draw(2) ? 133 + draw(4) : draw(256));
        put16(ip + 42, 0);
        put16(ip + 42,
              ~fold(ip + 40, payload, fold(ip + 8, 32, (uint32_t)(58 + payload))) & 0xffff);
    }
    return 54 + payload;
}

static size_t make_arp(uint8_t *frame)
{
    memcpy(frame + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00", 9);
    frame[21] = (uint8_t)draw(4);
    return 42;
}

static void noise(const char *interface, unsigned count)
{
    static uint8_t frame[1514];
    int fd = socket(AF_PACKET, SOCK_RAW, htons(0x0003));
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_ifindex = (int)if_nametoindex(interface)};
    if (fd < 0 || !to.sll_ifindex)
        fail("%s: no raw socket", interface);
    for (unsigned i = 0; i < count; i++) {
        for (size_t at = 12; at < sizeof(frame); at++)
            frame[at] = (uint8_t)draw(256);
        memcpy(frame, draw(4) ? "\x52\x55\x0a\x00\x02\x02" : "\xff\xff\xff\xff\xff\xff", 6);
        memcpy(frame + 6, "\x52\x54\x00\x12\x34\x56", 6);
        size_t payload = draw(2) ? draw(64) : draw(1461), size = 14 + payload;
        switch (draw(4)) {
        case 0:
        case 1:
            size = make_ipv4(frame, payload);
            break;
        case 2:
            size = make_ipv6(frame, payload);
            break;
        case 3:
            if (draw(2))
                size = make_arp(frame);
            break;
        }
        for (unsigned n = draw(3); n && size; n--)
            frame[draw((uint32_t)size)] ^= (uint8_t)(1 << draw(8));
        if (draw(8) == 0)
            size = 14 + draw((uint32_t)(size - 13));
        if (size > sizeof(frame))
            size = sizeof(frame);
        /* A full queue is the card's way to say wait. */
        while (sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
            if (errno != ENOBUFS && errno != EAGAIN)
                break;
    }
    printf("net_job: %u frames\n", count);
}

/* One connection after the other, each until the host closes it. */
static void rate(double seconds)
{
    struct timespec begin, now;
    unsigned count = 0;
    double passed;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        char byte;
        int fd = open_socket(SOCK_STREAM);
        if (read(fd, &byte, 1) != 0)
            fail("connection %u is not closed", count);
        close(fd);
        count++;
        clock_gettime(CLOCK_MONOTONIC, &now);
        passed = (double)(now.tv_sec - begin.tv_sec) + 1e-9 * (double)(now.tv_nsec - begin.tv_nsec);
    } while (passed < seconds);
    printf("net_job: %.1f connections a second\n", count / passed);
}

static void serve_datagrams(const struct sockaddr_in6 *at)
{
    static char bytes[65536];
    struct sockaddr_in6 from;
    socklen_t size = sizeof(from);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
        fail("a port for datagrams");
    for (;;) {
        ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
        if (n >= 0)
            sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, size);
    }
}

static void serve(const char *port)
{
    int one = 1, fd = socket(AF_INET6, SOCK_STREAM, 0), client;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port))};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 64) < 0)
        fail("port %s", port);
    if (fork() == 0)
        serve_datagrams(&any);
    puts("net_job: serving");
    fflush(stdout);
    while ((client = accept(fd, NULL, NULL)) >= 0) {
        char bytes[4096];
        ssize_t n;
        while ((n = read(client, bytes, sizeof(bytes))) > 0 &&
               write(client, bytes, (size_t)n) == n) {
        }
        close(client);
    }
}

int main(int argc, char **argv)
{
    const char *job = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(job, "serve") && argc == 3) {
        serve(argv[2]);
    } else if (!strcmp(job, "noise") && argc == 5) {
        seed = (uint32_t)atoi(argv[4]) | 1;
        noise(argv[2], (unsigned)atoi(argv[3]));
    } else if (argc >= 4) {
        find_server(argv[2], argv[3]);
        if (!strcmp(job, "many") && argc == 5)
            many((unsigned)atoi(argv[4]));
        else if (!strcmp(job, "rate") && argc == 5)
            rate(atof(argv[4]));
        else if (!strcmp(job, "half"))
            half();
        else if (!strcmp(job, "reset"))
            reset();
        else if (!strcmp(job, "udp"))
            datagrams();
        else
            fail("no job %s", job);
    } else {
        fail("no job %s", job);
    }
    return 0;
}
