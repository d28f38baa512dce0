#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "forker.h"

void *must_alloc(size_t bytes) {
  void *memory = calloc(1, bytes == 0 ? 1 : bytes);
  if (memory == NULL) die("out of memory (%zu bytes)", bytes);
  return memory;
}

void *must_realloc(void *old, size_t bytes) {
  void *memory = realloc(old, bytes == 0 ? 1 : bytes);
  if (memory == NULL) die("out of memory (%zu bytes)", bytes);
  return memory;
}

/* The kernel counts what the forker had in memory when it started a task as the task's own, up to its peak (getrusage(2): the maximum
   is over the life of the process, and vfork shares it). So a peak that is over is forgotten: proc(5), clear_refs. */
void forget_peak_memory(void) {
  malloc_trim(0);
  int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t written = write(file, "5", 1);
  (void)written;
  close(file);
}
