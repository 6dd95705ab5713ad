// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API's adapters.

#include "runtime/core/api/Handles.h"

using namespace umber;
using namespace umber::api;

umber_status umber_adapter_load(const umber_model *model, const char *path,
                                umber_adapter **adapter, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments(
            {{model, "model"}, {path, "path"}, {adapter, "adapter"}});
        !status.ok()) {
      return status;
    }
    auto loaded = model->model->loadAdapter(path);
    if (!loaded.ok()) {
      return loaded.status();
    }
    *adapter = new umber_adapter{model->model, std::move(*loaded)};
    return {};
  });
}

void umber_adapter_unload(umber_adapter *adapter) { delete adapter; }

umber_status umber_adapter_get_info(const umber_adapter *adapter,
                                    umber_adapter_info *info,
                                    umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status =
            requireArguments({{adapter, "adapter"}, {info, "info"}});
        !status.ok()) {
      return status;
    }
    const LoadedAdapter &loaded = *adapter->adapter;
    umber_adapter_info value = UMBER_ADAPTER_INFO_INIT;
    value.name = loaded.name.c_str();
    value.sites = int32_t(loaded.sites);
    value.rank = int32_t(loaded.rank);
    value.bytes = loaded.onDevice->bytes();
    value.fingerprint = loaded.fingerprint;
    return writeInfo(value, info);
  });
}

umber_status umber_session_set_adapters(umber_session *session,
                                        umber_adapter *const *adapters,
                                        const float *scales, size_t count,
                                        umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{session, "session"}});
        !status.ok()) {
      return status;
    }
    if (Status status = count == 0 ? Status()
                                   : requireArguments({{adapters, "adapters"},
                                                       {scales, "scales"}});
        !status.ok()) {
      return status;
    }
    std::vector<std::shared_ptr<const LoadedAdapter>> active;
    for (size_t i = 0; i < count; ++i) {
      std::string name = "adapters[" + std::to_string(i) + "]";
      if (Status status = requireArguments({{adapters[i], name.c_str()}});
          !status.ok()) {
        return status;
      }
      if (adapters[i]->model.get() != &session->session->model()) {
        return Status(StatusCode::InvalidArgument,
                      name + " is of another model than the session");
      }
      active.push_back(adapters[i]->adapter);
    }
    return session->session->setAdapters(std::move(active), scales);
  });
}

umber_status umber_session_keep_prefix(umber_session *session,
                                       const int32_t *ids, size_t count,
                                       int32_t *kept, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{session, "session"}, {ids, "ids"}});
        !status.ok()) {
      return status;
    }
    int32_t length = session->session->keepPrefix(ids, count);
    if (kept) {
      *kept = length;
    }
    return {};
  });
}
