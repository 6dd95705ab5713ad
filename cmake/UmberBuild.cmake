# What every target of the project is built with: warnings, sanitizers, ccache
# and lld when present.

find_program(UMBER_CCACHE ccache)
if(UMBER_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${UMBER_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${UMBER_CCACHE})
endif()

include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=lld UMBER_HAVE_LLD)
if(UMBER_HAVE_LLD)
  add_link_options(-fuse-ld=lld)
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(UMBER_SANITIZE)
  add_compile_options(-fsanitize=${UMBER_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${UMBER_SANITIZE})
endif()

# umber_add_library(NAME SOURCES... [LINK targets...]): a static library of the
# runtime side: standard C++, no LLVM in reach.
function(umber_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/runtime/include)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  # So that the shared library leaves out what it does not call.
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
endfunction()
