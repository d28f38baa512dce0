#include <stdlib.h>
#include <string.h>

#include "forker.h"

/* The newest bytes of an attempt, with the stream and time of each run of bytes. Memory grows as it is used, up to the cap. */
struct entry {
  uint64_t time_ms;
  uint32_t length;
  uint8_t stream;
};
struct ring {
  uint64_t cap;
  uint64_t *dropped; /* by stream; what had to make room */
  uint8_t *bytes;
  size_t room, start, used;
  struct entry *entries; /* circular as well */
  size_t entry_room, first, entry_count;
};

/* Bytes of the same stream that arrive within this time share an entry, so that many small writes cost little memory. */
#define SAME_ENTRY_MS 100
#define PEAK_WORTH_FORGETTING (256 * 1024)

struct ring *ring_new(uint64_t cap, uint64_t *dropped) {
  struct ring *ring = must_alloc(sizeof *ring);
  ring->cap = cap;
  ring->dropped = dropped;
  return ring;
}

void ring_free(struct ring *ring) {
  if (ring == NULL) return;
  int large = ring->room >= PEAK_WORTH_FORGETTING;
  free(ring->bytes);
  free(ring->entries);
  free(ring);
  if (large) forget_peak_memory();
}

static struct entry *entry_at(struct ring *ring, size_t index) {
  return &ring->entries[(ring->first + index) % ring->entry_room];
}

static void drop_oldest(struct ring *ring, size_t bytes) {
  while (bytes > 0) {
    struct entry *oldest = entry_at(ring, 0);
    size_t part = bytes < oldest->length ? bytes : oldest->length;
    ring->dropped[oldest->stream - LOG_STDOUT] += part;
    oldest->length -= (uint32_t)part;
    ring->start = (ring->start + part) % ring->room;
    ring->used -= part;
    bytes -= part;
    if (oldest->length == 0) {
      ring->first = (ring->first + 1) % ring->entry_room;
      ring->entry_count--;
    }
  }
}

static void make_room(struct ring *ring, size_t needed) {
  if (needed <= ring->room) return;
  uint64_t room = ring->room == 0 ? 64 * 1024 : ring->room;
  while (room < needed) room *= 2;
  if (room > ring->cap) room = ring->cap;
  uint8_t *bytes = must_alloc(room);
  size_t to_end = ring->room - ring->start;
  if (to_end > ring->used) to_end = ring->used;
  if (ring->used > 0) {
    memcpy(bytes, ring->bytes + ring->start, to_end);
    memcpy(bytes + to_end, ring->bytes, ring->used - to_end);
  }
  free(ring->bytes);
  ring->bytes = bytes;
  ring->room = room;
  ring->start = 0;
}

/* Alternating single bytes would need an entry each; then the oldest make room early, so that entries never take more memory
   than the bytes they describe may. */
static void add_entry(struct ring *ring, uint8_t stream, uint64_t time_ms, size_t length) {
  if (ring->entry_count > 0) {
    struct entry *newest = entry_at(ring, ring->entry_count - 1);
    if (newest->stream == stream && time_ms - newest->time_ms < SAME_ENTRY_MS && newest->length + length <= MAX_LOG_DATA_BYTES) {
      newest->length += (uint32_t)length;
      return;
    }
  }
  if (ring->entry_count == ring->entry_room) {
    size_t most = ring->cap / sizeof(struct entry) + 64;
    if (ring->entry_count >= most) {
      drop_oldest(ring, entry_at(ring, 0)->length);
    } else {
      size_t room = ring->entry_room == 0 ? 16 : ring->entry_room * 2;
      if (room > most) room = most;
      struct entry *entries = must_alloc(room * sizeof *entries);
      for (size_t i = 0; i < ring->entry_count; i++) entries[i] = *entry_at(ring, i);
      free(ring->entries);
      ring->entries = entries;
      ring->entry_room = room;
      ring->first = 0;
    }
  }
  ring->entry_count++;
  *entry_at(ring, ring->entry_count - 1) = (struct entry){.time_ms = time_ms, .length = (uint32_t)length, .stream = stream};
}

void ring_put(struct ring *ring, uint8_t stream, uint64_t time_ms, const uint8_t *bytes, size_t length) {
  if (length > ring->cap) {
    size_t too_old = length - ring->cap;
    ring->dropped[stream - LOG_STDOUT] += too_old;
    bytes += too_old;
    length = ring->cap;
  }
  while (length > 0) {
    size_t part = length < MAX_LOG_DATA_BYTES ? length : MAX_LOG_DATA_BYTES;
    if (ring->used + part > ring->cap) drop_oldest(ring, ring->used + part - ring->cap);
    make_room(ring, ring->used + part);
    add_entry(ring, stream, time_ms, part);
    size_t at = (ring->start + ring->used) % ring->room;
    size_t to_end = ring->room - at < part ? ring->room - at : part;
    memcpy(ring->bytes + at, bytes, to_end);
    memcpy(ring->bytes, bytes + to_end, part - to_end);
    ring->used += part;
    bytes += part;
    length -= part;
  }
}

bool ring_take(struct ring *ring, uint8_t *stream, uint64_t *time_ms, struct iovec pieces[2]) {
  if (ring->entry_count == 0) return false;
  struct entry oldest = *entry_at(ring, 0);
  size_t to_end = ring->room - ring->start < oldest.length ? ring->room - ring->start : oldest.length;
  *stream = oldest.stream;
  *time_ms = oldest.time_ms;
  pieces[0] = (struct iovec){.iov_base = ring->bytes + ring->start, .iov_len = to_end};
  pieces[1] = (struct iovec){.iov_base = ring->bytes, .iov_len = oldest.length - to_end};
  ring->start = (ring->start + oldest.length) % ring->room;
  ring->used -= oldest.length;
  ring->first = (ring->first + 1) % ring->entry_room;
  ring->entry_count--;
  return true;
}
