# The compiler side: MLIR from the distribution's packages. libMLIR.so is linked
# everywhere and never mixed with MLIR's static libraries: two copies of a
# TypeID are two types.

# LLVM's version file accepts only an equal major.minor, so the major version is
# checked here.
find_package(MLIR REQUIRED CONFIG)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "Umber needs MLIR 22; ${MLIR_DIR} is ${LLVM_PACKAGE_VERSION}")
endif()
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
if(NOT LLVM_EXTERNAL_LIT)
  set(LLVM_EXTERNAL_LIT ${LLVM_TOOLS_BINARY_DIR}/lit CACHE FILEPATH "lit")
endif()
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(UMBER_LLVM_DEFINITIONS UNIX_COMMAND "${LLVM_DEFINITIONS}")

# umber_use_mlir(TARGET): MLIR's headers, definitions and the RTTI setting that
# the installed LLVM was built with.
function(umber_use_mlir name)
  target_include_directories(${name} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  target_compile_definitions(${name} PUBLIC ${UMBER_LLVM_DEFINITIONS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  if(NOT LLVM_ENABLE_RTTI)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  endif()
endfunction()

# umber_set_sanitizer_defaults(EXECUTABLE): LLVM's bump allocator is inline. Our
# copy, built with a sanitizer, poisons memory that the copy in the distribution's
# libraries then hands out without saying so, which AddressSanitizer must not take
# for an error.
function(umber_set_sanitizer_defaults name)
  if(UMBER_SANITIZE MATCHES address)
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/SanitizerDefaults.c)
  endif()
endfunction()

# umber_add_compiler_library(NAME SOURCES... [LINK targets...] [DEPENDS
# tablegen-targets...]): a static library of the compiler side.
function(umber_add_compiler_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  umber_use_mlir(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# umber_add_compiler_tool(NAME SOURCES... [LINK targets...])
function(umber_add_compiler_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  umber_use_mlir(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  umber_set_sanitizer_defaults(${name})
endfunction()
