// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/Handles.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace umber::tools;

Model umber::tools::loadModel(const std::string &path,
                              const umber_model_options &options) {
  umber_model *model = nullptr;
  check([&](umber_error *error) {
    return umber_model_load(path.c_str(), &options, &model, error);
  });
  return Model(model);
}

umber_model_info umber::tools::modelInfo(const umber_model *model) {
  umber_model_info info = UMBER_MODEL_INFO_INIT;
  check([&](umber_error *error) {
    return umber_model_get_info(model, &info, error);
  });
  return info;
}

Session umber::tools::createSession(const umber_model *model, int32_t context) {
  umber_session_options options = UMBER_SESSION_OPTIONS_INIT;
  options.context = context;
  umber_session *session = nullptr;
  check([&](umber_error *error) {
    return umber_session_create(model, &options, &session, error);
  });
  return Session(session);
}

std::vector<int32_t> umber::tools::tokenize(const umber_model *model,
                                            std::string_view text,
                                            uint32_t flags) {
  // No token is shorter than a byte; the beginning and end tokens come on top.
  std::vector<int32_t> ids(text.size() + 2);
  size_t count = 0;
  for (;;) {
    check([&](umber_error *error) {
      return umber_tokenize(model, text.data(), text.size(), flags, ids.data(),
                            ids.size(), &count, error);
    });
    bool complete = count <= ids.size();
    ids.resize(count);
    if (complete) {
      return ids;
    }
  }
}

std::string umber::tools::readFile(const std::string &path) {
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rb"),
                                              std::fclose);
  if (!file) {
    throw ToolError(path + ": " + std::strerror(errno));
  }
  std::string text;
  char block[65536];
  size_t read;
  while ((read = std::fread(block, 1, sizeof block, file.get())) > 0) {
    text.append(block, read);
  }
  if (std::ferror(file.get())) {
    throw ToolError(path + ": " + std::strerror(errno));
  }
  return text;
}
