#include <stdlib.h>

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
