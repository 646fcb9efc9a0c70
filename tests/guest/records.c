/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What tests/guest/power_cut.test runs in the guest: writes records and says so of each that the file
 * system has promised to keep. Two writers, until somebody pulls the plug:
 *
 *     ack log N     record N is in FOLDER/log, which was synchronised
 *     ack file N    FOLDER/files/N has its name and its content, and so has its folder
 *
 * A record is 4096 bytes: its number, then bytes that follow from it. It goes on where it was stopped.
 *
 *     records FOLDER
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_SIZE 4096
/* Older ones are removed, so that space is given back and used again. Lines that are on their way to
 * the host when the plug is pulled are lost: so many more are kept than are looked for. */
#define FILES_KEPT 1024

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void make_record(uint64_t number, uint8_t record[RECORD_SIZE])
{
    uint64_t word = number * 0x9e3779b97f4a7c15u + 1;
    memcpy(record, &number, sizeof(number));
    for (unsigned i = sizeof(number); i < RECORD_SIZE; i += sizeof(word)) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        memcpy(record + i, &word, sizeof(word));
    }
}

static void write_record(int fd, uint64_t number)
{
    uint8_t record[RECORD_SIZE];
    make_record(number, record);
    if (write(fd, record, sizeof(record)) != sizeof(record))
        die("write");
}

/* One write, so that lines of the two writers are not mixed. */
static void acknowledge(const char *writer, uint64_t number)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "ack %s %llu\n", writer, (unsigned long long)number);
    if (write(1, line, (size_t)length) != length)
        die("console");
}

static void write_log(void)
{
    struct stat st;
    int fd = open("log", O_RDWR | O_CREAT, 0644);
    if (fd < 0 || fstat(fd, &st) < 0)
        die("log");
    /* The last one may have got its place in the file but not its bytes: it was not acknowledged. */
    uint64_t number = (uint64_t)st.st_size / RECORD_SIZE;
    for (number -= number > 0;; number++) {
        if (lseek(fd, (off_t)(number * RECORD_SIZE), SEEK_SET) < 0)
            die("log");
        write_record(fd, number);
        if (fdatasync(fd) < 0)
            die("fdatasync");
        acknowledge("log", number);
    }
}

/* The number after the highest that there is. */
static uint64_t next_file(void)
{
    uint64_t next = 0;
    DIR *dir = opendir("files");
    struct dirent *entry;
    if (!dir)
        die("files");
    while ((entry = readdir(dir))) {
        uint64_t number = strtoull(entry->d_name, NULL, 10);
        if (entry->d_name[0] != '.' && number >= next)
            next = number + 1;
    }
    closedir(dir);
    return next;
}

static void write_files(void)
{
    mkdir("files", 0755);
    int dir = open("files", O_RDONLY | O_DIRECTORY);
    if (dir < 0)
        die("files");
    for (uint64_t number = next_file();; number++) {
        char name[32];
        snprintf(name, sizeof(name), "%llu", (unsigned long long)number);
        int fd = openat(dir, "new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd < 0)
            die("new");
        write_record(fd, number);
        if (fsync(fd) < 0 || renameat(dir, "new", dir, name) < 0 || fsync(dir) < 0)
            die("fsync");
        close(fd);
        acknowledge("file", number);
        if (number >= FILES_KEPT) {
            snprintf(name, sizeof(name), "%llu", (unsigned long long)(number - FILES_KEPT));
            unlinkat(dir, name, 0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]) < 0)
        die("records FOLDER");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child)
        write_log();
    else
        write_files();
}
