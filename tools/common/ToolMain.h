// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_COMMON_TOOLMAIN_H
#define UMBER_TOOLS_COMMON_TOOLMAIN_H

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

namespace umber::tools {

/// Parses the command line and calls `run`. Returns the exit status: 0, or 1
/// after one line on standard error that begins with `NAME: error: `.
template <typename Run>
int toolMain(CLI::App &app, int argc, char **argv, Run run) {
  try {
    app.parse(argc, argv);
    run();
    return 0;
  } catch (const CLI::Success &request) {
    return app.exit(request); // --help and --version
  } catch (const std::exception &error) {
    // One line, whatever a file name or a library's message holds.
    std::string message = error.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    std::fprintf(stderr, "%s: error: %s\n", app.get_name().c_str(),
                 message.c_str());
    return 1;
  }
}

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_TOOLMAIN_H
