// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/description/Cbor.h"

using namespace umber;
using Json = nlohmann::json;

namespace {

/// Program files have objects in arrays in objects.
constexpr int kMostLevels = 8;

/// Refuses what the library would take too seriously: it calls itself for each
/// level, and throws at an array that claims to be larger than memory.
class Limits : public Json::json_sax_t {
public:
  explicit Limits(size_t bytes) : bytes(bytes) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(Json::number_integer_t) override { return true; }
  bool number_unsigned(Json::number_unsigned_t) override { return true; }
  bool number_float(Json::number_float_t, const std::string &) override {
    return true;
  }
  bool string(std::string &) override { return true; }
  bool binary(Json::binary_t &) override { return true; }
  bool key(std::string &) override { return true; }
  bool start_object(size_t size) override { return start(size); }
  bool start_array(size_t size) override { return start(size); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool parse_error(size_t, const std::string &,
                   const Json::exception &) override {
    return false;
  }

private:
  bool start(size_t size) {
    // An element takes a byte at least; -1 is a size that is not said.
    return ++levels <= kMostLevels && (size == size_t(-1) || size <= bytes);
  }
  bool end() {
    --levels;
    return true;
  }

  size_t bytes;
  int levels = 0;
};

} // namespace

Json umber::readCbor(Bytes bytes) {
  const uint8_t *begin = bytes.data, *end = bytes.data + bytes.size;
  Limits limits(bytes.size);
  if (!Json::sax_parse(begin, end, &limits, Json::input_format_t::cbor)) {
    return Json(Json::value_t::discarded);
  }
  return Json::from_cbor(begin, end, /*strict=*/true,
                         /*allow_exceptions=*/false);
}
