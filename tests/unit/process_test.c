/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Linux programs (rvvm/process.h): what they are given, and how they end. The program is built here, so it takes
 * riscv64-linux-gnu-gcc, and rvvm-user beside the tests. Again: tools/run-tests unit/process_test
 */
#define _GNU_SOURCE
#include <rvvm/process.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char source[] = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                             "#include <unistd.h>\n"
                             "int main(int argc, char **argv) {\n"
                             "  char line[100];\n"
                             "  for (int n = 0; n < argc; n++) printf(\"%s;\", argv[n]);\n"
                             "  if (getenv(\"WORD\")) printf(\"%s;\", getenv(\"WORD\"));\n"
                             "  fflush(stdout);\n"
                             "  if (argc > 1 && !strcmp(argv[1], \"die\")) abort();\n"
                             "  if (argc > 1 && !strcmp(argv[1], \"wait\")) for (;;) pause();\n"
                             "  if (fgets(line, sizeof(line), stdin)) fputs(line, stderr);\n"
                             "  return argc; }\n";

static char folder[] = "/tmp/process-XXXXXX", program[64], rvvm_user[4096];

static int build_program(void **state)
{
    (void)state;
    char command[256];
#if defined(__SANITIZE_THREAD__)
    return 0; /* the race detector has a program's addresses for itself */
#endif
    const char *build = getenv("RVVM_BUILD");
    snprintf(rvvm_user, sizeof(rvvm_user), "%s/rvvm-user", build ? build : "build/release");
    if (access(rvvm_user, X_OK) || system("riscv64-linux-gnu-gcc --version >/dev/null 2>&1"))
        return 0;
    if (!mkdtemp(folder))
        return -1;
    snprintf(program, sizeof(program), "%s/program", folder);
    snprintf(command, sizeof(command), "riscv64-linux-gnu-gcc -O1 -static -o %s -xc -", program);
    FILE *pipe = popen(command, "w");
    return pipe && fputs(source, pipe) >= 0 && pclose(pipe) == 0 ? 0 : -1;
}

static int remove_program(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return *program && system(command);
}

static struct rvvm_process_config config_for(char *const *argv)
{
    struct rvvm_process_config config;
    if (!*program)
        skip();
    rvvm_process_config_init(&config);
    config.program = program;
    config.argv = argv;
    config.rvvm_user = rvvm_user;
    return config;
}

static int run(const struct rvvm_process_config *config)
{
    struct rvvm_error error;
    int status = 0;
    struct rvvm_process *process = rvvm_process_start(config, &error);
    if (!process || !rvvm_process_wait(process, &status, &error))
        fail_msg("%s", error.text);
    return status;
}

/* Files of the program: what it says in 1, 2. */
struct pipes {
    int in[2], out[2], err[2];
};

static void open_pipes(struct pipes *p, struct rvvm_process_config *config)
{
    assert_int_equal(pipe2(p->in, O_CLOEXEC) | pipe2(p->out, O_CLOEXEC) | pipe2(p->err, O_CLOEXEC),
                     0);
    config->files[0] = p->in[0];
    config->files[1] = p->out[1];
    config->files[2] = p->err[1];
}

static void expect(struct pipes *p, const char *out, const char *err)
{
    char text[1024] = {0};
    close(p->out[1]);
    close(p->err[1]);
    assert_true(read(p->out[0], text, sizeof(text) - 1) >= 0);
    assert_string_equal(text, out);
    memset(text, 0, sizeof(text));
    assert_true(read(p->err[0], text, sizeof(text) - 1) >= 0);
    if (!strstr(text, err) || (!*err && *text))
        fail_msg("%s", text);
    close(p->in[0]);
    close(p->in[1]);
    close(p->out[0]);
    close(p->err[0]);
}

static void programs_get_words_variables_and_files(void **state)
{
    (void)state;
    static const enum rvvm_jit engines[] = {RVVM_JIT_ON, RVVM_JIT_OFF, RVVM_JIT_TIER1};
    char *words[] = {"its own name", "-strace", "--", NULL}, *variables[] = {"WORD=value", NULL};
    for (unsigned n = 0; n < 3; n++) {
        struct rvvm_process_config config = config_for(words);
        struct pipes pipes;
        open_pipes(&pipes, &config);
        config.envp = variables;
        config.jit = engines[n];
        config.stack = 1 << 20;
        config.cpu = "rv64";
        assert_int_equal(write(pipes.in[1], "a line\n", 7), 7);
        assert_int_equal(run(&config), 3);
        expect(&pipes, "its own name;-strace;--;value;", "a line\n");
    }
}

static void files_may_change_places(void **state)
{
    (void)state;
    char *words[] = {"a", NULL};
    struct rvvm_process_config config = config_for(words);
    struct pipes pipes;
    open_pipes(&pipes, &config);
    /* Standard input and output of this process, each where the other was. */
    int in = dup(0), out = dup(1);
    dup2(pipes.out[1], 0);
    dup2(pipes.in[0], 1);
    config.files[0] = 1;
    config.files[1] = 0;
    ssize_t written = write(pipes.in[1], "b\n", 2);
    int status = run(&config);
    dup2(in, 0);
    dup2(out, 1);
    close(in);
    close(out);
    assert_int_equal(written, 2);
    assert_int_equal(status, 1);
    expect(&pipes, "a;", "b\n");
}

static void how_a_program_ends_is_told(void **state)
{
    (void)state;
    char *words[] = {"a", "die", NULL}, *waits[] = {"a", "wait", NULL};
    struct rvvm_process_config config = config_for(words);
    struct rvvm_error error;
    int status;
    config.files[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_int_equal(run(&config), -SIGABRT);
    config.argv = waits;
    struct rvvm_process *process = rvvm_process_start(&config, &error);
    assert_non_null(process);
    assert_true(rvvm_process_id(process) > 0);
    assert_int_equal(kill((pid_t)rvvm_process_id(process), SIGKILL), 0);
    assert_true(rvvm_process_wait(process, &status, &error));
    assert_int_equal(status, -SIGKILL);
    close(config.files[1]);
}

static void system_calls_are_printed(void **state)
{
    (void)state;
    struct rvvm_process_config config = config_for(NULL);
    struct pipes pipes;
    char out[80];
    open_pipes(&pipes, &config);
    config.strace = true;
    close(pipes.in[1]);
    pipes.in[1] = -1;
    assert_int_equal(run(&config), 1);
    snprintf(out, sizeof(out), "%s;", program);
    expect(&pipes, out, "write(1, ");
}

static void what_cannot_be_started_is_said(void **state)
{
    (void)state;
    struct rvvm_error error;
    struct rvvm_process_config config = config_for(NULL);
    config.rvvm_user = "/nothing/rvvm-user";
    assert_null(rvvm_process_start(&config, &error));
    assert_non_null(strstr(error.text, "/nothing/rvvm-user: cannot start it: No such file"));
    config = config_for(NULL);
    config.program = NULL;
    assert_null(rvvm_process_start(&config, &error));
    config = config_for(NULL);
    config.jit = RVVM_JIT_CHECK;
    assert_null(rvvm_process_start(&config, &error));
    config = config_for(NULL);
    config.struct_size = 0;
    assert_null(rvvm_process_start(&config, &error));
    config = config_for(NULL);
    struct pipes pipes;
    open_pipes(&pipes, &config);
    config.program = "/dev/null";
    assert_int_equal(run(&config), 126);
    expect(&pipes, "", "/dev/null: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_get_words_variables_and_files),
        cmocka_unit_test(files_may_change_places),
        cmocka_unit_test(how_a_program_ends_is_told),
        cmocka_unit_test(system_calls_are_printed),
        cmocka_unit_test(what_cannot_be_started_is_said),
    };
    return cmocka_run_group_tests(tests, build_program, remove_program);
}
