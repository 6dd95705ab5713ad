// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/api/Boundary.h"

using namespace umber;
using namespace umber::api;

void umber::api::setMessage(umber_error *error, std::string_view message) {
  if (!error) {
    return;
  }
  size_t length = message.size();
  if (length >= sizeof error->message) {
    length = sizeof error->message - 1;
    // Not in the middle of a UTF-8 sequence.
    while (length > 0 && (message[length] & 0xC0) == 0x80) {
      --length;
    }
  }
  for (size_t i = 0; i < length; ++i) {
    unsigned char byte = static_cast<unsigned char>(message[i]);
    error->message[i] = byte < 0x20 || byte == 0x7F ? '?' : message[i];
  }
  error->message[length] = '\0';
}

umber_status umber::api::report(const Status &status, umber_error *error) {
  if (!status.ok()) {
    setMessage(error, status.message());
  }
  return static_cast<umber_status>(status.code());
}

Status umber::api::requireArguments(std::initializer_list<Argument> arguments) {
  for (const Argument &argument : arguments) {
    if (!argument.value) {
      return Status(StatusCode::InvalidArgument,
                    std::string(argument.name) + " is null");
    }
  }
  return {};
}

static_assert(UMBER_INVALID_ARGUMENT == int(StatusCode::InvalidArgument));
static_assert(UMBER_NOT_FOUND == int(StatusCode::NotFound));
static_assert(UMBER_CORRUPT_FILE == int(StatusCode::CorruptFile));
static_assert(UMBER_UNSUPPORTED == int(StatusCode::Unsupported));
static_assert(UMBER_OUT_OF_MEMORY == int(StatusCode::OutOfMemory));
static_assert(UMBER_CONTEXT_FULL == int(StatusCode::ContextFull));
static_assert(UMBER_IO_ERROR == int(StatusCode::IoError));
static_assert(UMBER_INTERNAL == int(StatusCode::Internal));

const char *umber_version(void) { return UMBER_VERSION_STRING; }

const char *umber_status_name(umber_status status) {
  switch (status) {
  case UMBER_OK:
    return "ok";
  case UMBER_INVALID_ARGUMENT:
    return "invalid argument";
  case UMBER_NOT_FOUND:
    return "not found";
  case UMBER_CORRUPT_FILE:
    return "corrupt file";
  case UMBER_UNSUPPORTED:
    return "unsupported";
  case UMBER_OUT_OF_MEMORY:
    return "out of memory";
  case UMBER_CONTEXT_FULL:
    return "context full";
  case UMBER_IO_ERROR:
    return "input/output error";
  case UMBER_INTERNAL:
    return "internal error";
  }
  return "unknown status";
}
