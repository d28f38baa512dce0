#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "spored.h"

#ifndef SPAWN_VERSION
#define SPAWN_VERSION "unknown"
#endif

static int run_help(int argc, char **argv) {
  if (argc > 1) fail(EXIT_WRONG, "expected one VERB, found %s too", quoted(argv[1]));
  fputs(help_of(argc == 0 ? "" : argv[0]), stdout);
  finish_output();
  return EXIT_DONE;
}

static int run_version(int argc, char **argv) {
  if (argc > 0) fail(EXIT_WRONG, "expected no operand, found %s", quoted(argv[0]));
  puts(SPAWN_VERSION);
  finish_output();
  return EXIT_DONE;
}

static const struct verb {
  const char *name;
  /* argv: the words after the verb. */
  int (*run)(int argc, char **argv);
} verbs[] = {
  {"complete", run_complete}, {"status", run_status}, {"wait-peers", run_wait_peers}, {"config", run_config}, {"reload", run_reload},
  {"queue", run_queue},       {"rsh", run_rsh},       {"boot", run_boot},             {"version", run_version}, {"help", run_help},
  {"progress", run_progress}, {"checkpoint", run_checkpoint}, {"emit", run_emit},     {"result", run_result},
};

static const struct verb *find_verb(const char *name) {
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  if (strcmp(name, "--version") == 0) name = "version";
  for (size_t i = 0; i < COUNT_OF(verbs); i++) if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
  return NULL;
}

int spored_main(int argc, char **argv) {
  /* Writing to a pipe that nobody reads is an error like others, and told. */
  signal(SIGPIPE, SIG_IGN);
  const char *slash = strrchr(argv[0], '/');
  const char *called = slash == NULL ? argv[0] : slash + 1;
  if (strcmp(called, "ssh") == 0) return run_as_ssh(argc, argv);
  if (strcmp(called, "scp") == 0 || strcmp(called, "sftp") == 0) return run_as_copy(called, argc, argv);
  if (argc < 2) {
    fputs(help_of(""), stderr);
    return EXIT_WRONG;
  }
  const struct verb *verb = find_verb(argv[1]);
  if (verb == NULL) fail(EXIT_WRONG, "unknown verb %s; see: spored help", quoted(argv[1]));
  verb_name = verb->name;
  return verb->run(argc - 2, argv + 2);
}
