// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session as bytes: a header, the token ids, which adapters each was computed
// with, the device's cache. Everything
// in the header is checked before any of the session is touched.

#include "runtime/core/Hash.h"
#include "runtime/core/Session.h"

#include <cstring>
#include <string>

using namespace umber;

namespace {

constexpr char kMagic[8] = {'U', 'M', 'B', 'E', 'R', 'K', 'V', '\0'};
constexpr uint32_t kVersion = 3;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t positions;
  uint64_t identity; // of the package
  char layout[16];   // DeviceModel::cacheLayout(), filled up with zeros
  uint64_t cacheBytes;
  uint64_t hash;      // XXH3-64 of all that follows
  uint32_t cacheType; // fbs::DType of the cache's elements
  uint32_t reserved;  // zero
};
/// Of a token's id and origin. Ids come first, then all origins.
constexpr uint64_t kTokenBytes = sizeof(int32_t) + sizeof(uint64_t);
static_assert(sizeof(Header) == 64, "the header is part of a file format");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "session files are little-endian");

Header makeHeader(const Session &session, int32_t positions) {
  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.positions = static_cast<uint32_t>(positions);
  header.identity = session.model().identity();
  std::strncpy(header.layout, session.model().device().cacheLayout(),
               sizeof header.layout - 1);
  header.cacheType = session.model().cacheType();
  header.cacheBytes = session.device().cacheBytes(positions);
  return header;
}

Status corrupt(const std::string &what) {
  return Status(StatusCode::CorruptFile, "session state: " + what);
}

Status expect(const char *what, uint64_t found, uint64_t expected) {
  if (found == expected) {
    return {};
  }
  return corrupt(std::string(what) + " is " + std::to_string(found) +
                 ", expected " + std::to_string(expected));
}

/// Of a number that a file may have made up.
std::string cacheTypeName(uint32_t type) {
  return type <= fbs::DType_MAX
             ? fbs::EnumNameDType(static_cast<fbs::DType>(type))
             : "unknown type " + std::to_string(type);
}

} // namespace

uint64_t Session::stateSize(int32_t positions) const {
  return sizeof(Header) + uint64_t(positions) * kTokenBytes +
         state->cacheBytes(positions);
}

Status Session::writeState(void *buffer, uint64_t size) const {
  if (size < stateSize(position())) {
    return Status(StatusCode::InvalidArgument,
                  "the buffer has " + std::to_string(size) +
                      " bytes, the session's state needs " +
                      std::to_string(stateSize(position())));
  }
  char *body = static_cast<char *>(buffer) + sizeof(Header);
  uint64_t idBytes = history.size() * sizeof(int32_t);
  uint64_t tokenBytes = history.size() * kTokenBytes;
  if (tokenBytes > 0) {
    std::memcpy(body, history.data(), idBytes);
    std::memcpy(body + idBytes, origins.data(), tokenBytes - idBytes);
  }
  Header header = makeHeader(*this, position());
  Status status = state->readCache(position(), body + tokenBytes);
  if (!status.ok()) {
    return status;
  }
  header.hash = hashBytes(body, tokenBytes + header.cacheBytes);
  std::memcpy(buffer, &header, sizeof header);
  return {};
}

Status Session::readState(const void *buffer, uint64_t size) {
  Header found;
  if (size < sizeof found) {
    return corrupt("has " + std::to_string(size) +
                   " bytes, which is less than its header");
  }
  std::memcpy(&found, buffer, sizeof found);
  if (std::memcmp(found.magic, kMagic, sizeof kMagic) != 0) {
    return corrupt("is not one: the magic bytes are missing");
  }
  if (found.version != kVersion) {
    return Status(StatusCode::Unsupported,
                  "session state: has format version " +
                      std::to_string(found.version) + ", expected " +
                      std::to_string(kVersion));
  }
  if (found.reserved != 0) {
    return corrupt("its reserved bytes are not zero");
  }
  // Part of the identity too, but worth a message of its own: packages of one
  // model may differ in nothing else.
  if (found.cacheType != static_cast<uint32_t>(owner->cacheType())) {
    return Status(
        StatusCode::InvalidArgument,
        "session state: has a cache of " + cacheTypeName(found.cacheType) +
            " elements, the model's has " + cacheTypeName(owner->cacheType()));
  }
  if (found.identity != owner->identity()) {
    return Status(StatusCode::InvalidArgument,
                  "session state: was saved with another model");
  }
  if (found.positions > static_cast<uint32_t>(capacity)) {
    return Status(StatusCode::ContextFull,
                  "session state: has " + std::to_string(found.positions) +
                      " tokens, the session has room for " +
                      std::to_string(capacity));
  }
  int32_t positions = static_cast<int32_t>(found.positions);
  Header expected = makeHeader(*this, positions);
  if (std::memcmp(found.layout, expected.layout, sizeof found.layout) != 0) {
    return Status(StatusCode::Unsupported,
                  "session state: was saved on a device with another cache");
  }
  if (Status status =
          expect("the cache's size", found.cacheBytes, expected.cacheBytes);
      !status.ok()) {
    return status;
  }
  uint64_t idBytes = uint64_t(positions) * sizeof(int32_t);
  uint64_t tokenBytes = uint64_t(positions) * kTokenBytes;
  uint64_t bodyBytes = tokenBytes + found.cacheBytes;
  if (Status status = expect("its size", size, sizeof found + bodyBytes);
      !status.ok()) {
    return status;
  }
  const char *body = static_cast<const char *>(buffer) + sizeof found;
  if (hashBytes(body, bodyBytes) != found.hash) {
    return corrupt("its contents do not match their hash");
  }

  std::vector<int32_t> ids(positions);
  std::vector<uint64_t> madeWith(positions);
  if (positions > 0) {
    std::memcpy(ids.data(), body, idBytes);
    std::memcpy(madeWith.data(), body + idBytes, tokenBytes - idBytes);
  }
  for (int32_t id : ids) {
    if (id < 0 || id >= owner->vocab()) {
      return corrupt("token id " + std::to_string(id) +
                     " is out of range, expected 0 to " +
                     std::to_string(owner->vocab() - 1));
    }
  }
  if (Status status = state->writeCache(positions, body + tokenBytes);
      !status.ok()) {
    forget(0); // the cache may hold some of either
    return status;
  }
  history.assign(ids.begin(), ids.end());
  origins.assign(madeWith.begin(), madeWith.end());
  return {};
}
