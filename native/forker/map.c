#include <stdlib.h>

#include "forker.h"

static size_t bucket_of(const struct map *map, uint64_t key) {
  return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 32) & (map->bucket_count - 1);
}

struct node *map_get(const struct map *map, uint64_t key) {
  if (map->count == 0) return NULL;
  struct node *node = map->buckets[bucket_of(map, key)];
  while (node != NULL && node->key != key) node = node->next;
  return node;
}

static void grow(struct map *map) {
  struct map bigger = {.bucket_count = map->bucket_count == 0 ? 64 : map->bucket_count * 2};
  bigger.buckets = must_alloc(bigger.bucket_count * sizeof *bigger.buckets);
  for (size_t i = 0; i < map->bucket_count; i++) {
    for (struct node *node = map->buckets[i], *next; node != NULL; node = next) {
      next = node->next;
      size_t bucket = bucket_of(&bigger, node->key);
      node->next = bigger.buckets[bucket];
      bigger.buckets[bucket] = node;
    }
  }
  free(map->buckets);
  map->buckets = bigger.buckets;
  map->bucket_count = bigger.bucket_count;
}

void map_put(struct map *map, struct node *node, uint64_t key) {
  if (map->count >= map->bucket_count) grow(map);
  size_t bucket = bucket_of(map, key);
  node->key = key;
  node->next = map->buckets[bucket];
  map->buckets[bucket] = node;
  map->count++;
}

void map_remove(struct map *map, struct node *node) {
  if (map->count == 0) return;
  struct node **link = &map->buckets[bucket_of(map, node->key)];
  while (*link != NULL && *link != node) link = &(*link)->next;
  if (*link == NULL) return;
  *link = node->next;
  node->next = NULL;
  map->count--;
}
