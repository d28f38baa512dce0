#ifndef SPAWN_BYTES_H
#define SPAWN_BYTES_H

#include <stdint.h>

/* ---- little endian ---- */
static inline uint8_t *put_u16(uint8_t *to, uint16_t value) {
  to[0] = (uint8_t)value;
  to[1] = (uint8_t)(value >> 8);
  return to + 2;
}
static inline uint8_t *put_u32(uint8_t *to, uint32_t value) {
  to = put_u16(to, (uint16_t)value);
  return put_u16(to, (uint16_t)(value >> 16));
}
static inline uint8_t *put_u64(uint8_t *to, uint64_t value) {
  to = put_u32(to, (uint32_t)value);
  return put_u32(to, (uint32_t)(value >> 32));
}
static inline uint32_t get_u32(const uint8_t *from) {
  return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}
static inline uint64_t get_u64(const uint8_t *from) {
  return (uint64_t)get_u32(from) | (uint64_t)get_u32(from + 4) << 32;
}

#endif
