// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Instance.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace umber;
using namespace umber::vulkan;

namespace {

constexpr const char *kValidationLayer = "VK_LAYER_KHRONOS_validation";

bool wantsValidation() {
  const char *variable = std::getenv("UMBER_VULKAN_VALIDATION");
  return variable && std::strcmp(variable, "1") == 0;
}

/// A call that is wrong is a bug in the driver, of which what comes after it
/// says nothing.
VKAPI_ATTR VkBool32 VKAPI_CALL abortOnMessage(
    VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
    const VkDebugUtilsMessengerCallbackDataEXT *data, void *) {
  std::fprintf(stderr, "umber: vulkan validation: %s\n", data->pMessage);
  std::abort();
}

Result<std::vector<VkPhysicalDevice>> listDevices(VkInstance instance) {
  uint32_t count = 0;
  VkResult result = vkEnumeratePhysicalDevices(instance, &count, nullptr);
  std::vector<VkPhysicalDevice> devices(count);
  if (result == VK_SUCCESS && count > 0) {
    result = vkEnumeratePhysicalDevices(instance, &count, devices.data());
  }
  if (result < 0) {
    return failure(result, "vulkan: cannot list the devices");
  }
  if (count == 0) {
    return Status(StatusCode::NotFound,
                  "vulkan: this machine has a Vulkan loader but no device");
  }
  devices.resize(count);
  return devices;
}

Result<std::vector<VkPhysicalDevice>> findDevices() {
  if (volkInitialize() != VK_SUCCESS) {
    return Status(StatusCode::NotFound,
                  "vulkan: this machine has no Vulkan loader, libvulkan.so.1");
  }
  if (volkGetInstanceVersion() < VK_API_VERSION_1_1) {
    return Status(StatusCode::Unsupported,
                  "vulkan: the Vulkan loader is older than Vulkan 1.1");
  }
  VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO};
  application.pApplicationName = "umber";
  // The most that is made use of; each device says what it has of it.
  application.apiVersion = VK_API_VERSION_1_3;
  VkInstanceCreateInfo info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
  info.pApplicationInfo = &application;
  VkDebugUtilsMessengerCreateInfoEXT messenger = {
      VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT};
  messenger.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                              VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
  messenger.pfnUserCallback = abortOnMessage;
  const char *extension = VK_EXT_DEBUG_UTILS_EXTENSION_NAME;
  bool isValidated = wantsValidation();
  if (isValidated) {
    info.pNext = &messenger;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &kValidationLayer;
    info.enabledExtensionCount = 1;
    info.ppEnabledExtensionNames = &extension;
  }
  VkInstance instance = VK_NULL_HANDLE;
  VkResult result = vkCreateInstance(&info, nullptr, &instance);
  if (result == VK_ERROR_LAYER_NOT_PRESENT) {
    return Status(StatusCode::NotFound,
                  std::string("vulkan: UMBER_VULKAN_VALIDATION is set, but "
                              "there is no layer ") +
                      kValidationLayer);
  }
  if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
    return Status(StatusCode::NotFound,
                  "vulkan: this machine has a Vulkan loader but no driver");
  }
  if (result != VK_SUCCESS) {
    return failure(result, "vulkan: cannot create an instance");
  }
  // Never destroyed: the devices are used until the process ends.
  volkLoadInstance(instance);
  if (isValidated) {
    VkDebugUtilsMessengerEXT created;
    vkCreateDebugUtilsMessengerEXT(instance, &messenger, nullptr, &created);
  }
  return listDevices(instance);
}

} // namespace

const Result<std::vector<VkPhysicalDevice>> &umber::vulkan::physicalDevices() {
  static const Result<std::vector<VkPhysicalDevice>> devices = findDevices();
  return devices;
}
