#include <stdlib.h>
#include <string.h>

#include "forker.h"

static size_t name_length(const char *string) {
  return strcspn(string, "=");
}

static uint32_t name_hash(const char *string, size_t length) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)string[i]) * 16777619u;
  return hash;
}

static bool has_name(const char *string, const char *name, size_t length) {
  return strncmp(string, name, length) == 0 && (string[length] == '=' || string[length] == '\0');
}

/* The slot of the name in the index: of the string that has it, or an empty one. */
static uint32_t *find_slot(const struct env_block *block, const char *string, size_t length) {
  uint32_t at = name_hash(string, length) & block->index_mask;
  while (block->index[at] != 0) {
    if (has_name(block->strings[block->index[at] - 1], string, length)) break;
    at = (at + 1) & block->index_mask;
  }
  return &block->index[at];
}

static bool has_nul(struct text text) {
  return text.length > 0 && memchr(text.bytes, 0, text.length) != NULL;
}

void env_set(uint32_t id, uint32_t count, const struct text *strings) {
  env_drop(id);
  size_t bytes = 0;
  for (uint32_t i = 0; i < count; i++) bytes += (size_t)strings[i].length + 1;
  struct env_block *block = must_alloc(sizeof *block);
  uint32_t slots = 16;
  while (slots < count * 2) slots *= 2;
  block->users = 1;
  block->strings = must_alloc(count * sizeof *block->strings);
  block->index = must_alloc(slots * sizeof *block->index);
  block->index_mask = slots - 1;
  block->bytes = must_alloc(bytes);
  char *to = block->bytes;
  for (uint32_t i = 0; i < count; i++) {
    if (strings[i].length == 0) continue;
    block->invalid |= has_nul(strings[i]);
    memcpy(to, strings[i].bytes, strings[i].length);
    uint32_t *slot = find_slot(block, to, name_length(to));
    if (*slot == 0) *slot = ++block->count;
    block->strings[*slot - 1] = to;
    to += strings[i].length + 1;
  }
  map_put(&F.envs, &block->node, id);
}

void env_drop(uint32_t id) {
  struct env_block *block = (struct env_block *)map_get(&F.envs, id);
  if (block == NULL) return;
  map_remove(&F.envs, &block->node);
  env_release(block);
}

struct env_block *env_use(uint32_t id) {
  struct env_block *block = (struct env_block *)map_get(&F.envs, id);
  if (block != NULL) block->users++;
  return block;
}

void env_release(struct env_block *block) {
  if (--block->users > 0) return;
  free(block->strings);
  free(block->index);
  free(block->bytes);
  free(block);
}

char **env_merge(const struct env_block *block, char *const *extra, uint32_t extra_count) {
  static char **merged;
  static size_t room;
  size_t needed = (size_t)block->count + extra_count + 1;
  if (room < needed) {
    merged = must_realloc(merged, needed * sizeof *merged);
    room = needed;
  }
  if (block->count > 0) memcpy(merged, block->strings, block->count * sizeof *merged);
  size_t count = block->count;
  for (uint32_t i = 0; i < extra_count; i++) {
    size_t length = name_length(extra[i]);
    uint32_t slot = *find_slot(block, extra[i], length);
    if (slot != 0) {
      merged[slot - 1] = extra[i];
      continue;
    }
    size_t at = block->count;
    while (at < count && !has_name(merged[at], extra[i], length)) at++;
    merged[at] = extra[i];
    if (at == count) count++;
  }
  merged[count] = NULL;
  return merged;
}
