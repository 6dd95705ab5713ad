// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C API's devices and models.

#include "runtime/core/api/Boundary.h"
#include "runtime/drivers/Driver.h"

using namespace umber;
using namespace umber::api;

namespace {

std::vector<DeviceDescription> presentDevices() {
  std::vector<DeviceDescription> devices;
  for (const Driver *driver : allDrivers()) {
    if (Result<DeviceDescription> device = driver->describe(); device.ok()) {
      devices.push_back(*device);
    }
  }
  return devices;
}

template <size_t size>
void copyText(const std::string &text, char (&out)[size]) {
  size_t length = std::min(text.size(), size - 1);
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

} // namespace

size_t umber_device_count(void) {
  try {
    return presentDevices().size();
  } catch (const std::exception &) {
    return 0;
  }
}

umber_status umber_device_get(size_t index, umber_device_info *info,
                              umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{info, "info"}}); !status.ok()) {
      return status;
    }
    std::vector<DeviceDescription> devices = presentDevices();
    if (index >= devices.size()) {
      return Status(StatusCode::NotFound,
                    "device " + std::to_string(index) + " of " +
                        std::to_string(devices.size()) + " does not exist");
    }
    umber_device_info value = UMBER_DEVICE_INFO_INIT;
    copyText(devices[index].name, value.name);
    copyText(devices[index].description, value.description);
    value.default_threads = devices[index].defaultThreads;
    return writeInfo(value, info);
  });
}

umber_status umber_model_load(const char *path,
                              const umber_model_options *options,
                              umber_model **model, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{path, "path"}, {model, "model"}});
        !status.ok()) {
      return status;
    }
    umber_model_options values = UMBER_MODEL_OPTIONS_INIT;
    if (Status status = readOptions(options, values); !status.ok()) {
      return status;
    }
    LoadOptions load;
    load.threads = values.threads;
    load.isa = values.isa ? values.isa : "";
    if (values.weights < UMBER_WEIGHTS_BEST ||
        values.weights > UMBER_WEIGHTS_COPIED) {
      return Status(StatusCode::InvalidArgument,
                    "weights: expected 0, 1 or 2, found " +
                        std::to_string(values.weights));
    }
    load.weights = static_cast<WeightsMemory>(values.weights);
    if (values.adapter_bits != 0 && values.adapter_bits != 8 &&
        values.adapter_bits != 16) {
      return Status(StatusCode::InvalidArgument,
                    "adapter_bits: expected 0, 8 or 16, found " +
                        std::to_string(values.adapter_bits));
    }
    load.adapterBits = values.adapter_bits;
    Result<std::shared_ptr<const Model>> loaded =
        Model::load(path, values.device ? values.device : "", load,
                    values.adapter_cache_bytes);
    if (!loaded.ok()) {
      return loaded.status();
    }
    *model = new umber_model{std::move(*loaded)};
    return {};
  });
}

void umber_model_destroy(umber_model *model) { delete model; }

umber_status umber_model_get_info(const umber_model *model,
                                  umber_model_info *info, umber_error *error) {
  return guarded(error, [&]() -> Status {
    if (Status status = requireArguments({{model, "model"}, {info, "info"}});
        !status.ok()) {
      return status;
    }
    return writeInfo(model->model->describe(), info);
  });
}

int umber_model_is_end_of_generation(const umber_model *model, int32_t id) {
  return model && model->model->isEndOfGeneration(id);
}
