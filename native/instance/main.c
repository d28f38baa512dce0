#include <stdio.h>
#include <string.h>

#include "instance.h"

static const struct call {
  const char *name;
  int (*main)(int argc, char **argv);
} calls[] = {{"start", start_main}, {"serve", serve_main}, {"remove", remove_main}, {"probe", probe_main}, {"exec", exec_client_main}, {"spored", spored_main}};

int main(int argc, char **argv) {
  const char *called = argc > 0 ? argv[0] : "instance", *slash = strrchr(called, '/');
  if (slash != NULL) called = slash + 1;
  static const char *const inside[] = {"spored", "ssh", "scp", "sftp"};
  for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) if (strcmp(called, inside[i]) == 0) return spored_main(argc, argv);
  for (size_t i = 0; argc > 1 && i < sizeof calls / sizeof *calls; i++) {
    if (strcmp(argv[1], calls[i].name) == 0) return calls[i].main(argc - 1, argv + 1);
  }
  fputs("usage: instance start DIR | serve TITLE | remove DIR | probe | exec … | spored …\n", stderr);
  return 2;
}
