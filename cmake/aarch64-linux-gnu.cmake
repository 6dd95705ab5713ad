# Cross-builds the runtime for 64-bit ARM with the host's clang, lld and the
# folder that scripts/sysroot-aarch64 makes; its tests run under qemu-aarch64.
# UMBER_AARCH64_SYSROOT names another folder.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

# Only the environment reaches the compiler checks' own CMake runs unasked.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES UMBER_AARCH64_SYSROOT)
if(NOT UMBER_AARCH64_SYSROOT)
  if(DEFINED ENV{UMBER_CACHE})
    set(UMBER_AARCH64_SYSROOT $ENV{UMBER_CACHE}/sysroot-aarch64)
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(UMBER_AARCH64_SYSROOT $ENV{XDG_CACHE_HOME}/umber/sysroot-aarch64)
  else()
    set(UMBER_AARCH64_SYSROOT $ENV{HOME}/.cache/umber/sysroot-aarch64)
  endif()
endif()
if(NOT EXISTS ${UMBER_AARCH64_SYSROOT}/usr/include)
  message(FATAL_ERROR "no arm64 sysroot at ${UMBER_AARCH64_SYSROOT}: run scripts/sysroot-aarch64")
endif()

set(CMAKE_SYSROOT ${UMBER_AARCH64_SYSROOT})
set(CMAKE_C_COMPILER clang-22)
set(CMAKE_CXX_COMPILER clang++-22)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -fuse-ld=lld)
set(CMAKE_MODULE_LINKER_FLAGS_INIT -fuse-ld=lld)

# Libraries and headers are the target's; programs (flatc) are the host's.
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L ${CMAKE_SYSROOT})
