// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-eval/ScoreFile.h"

#include "tools/common/CreateFile.h"

#include <iomanip>
#include <limits>
#include <sstream>

namespace umber::tools {

ScoreFile::ScoreFile(const std::string &path, bool hasReference)
    : file(createFile(path)) {
  std::string header = "chunk,position,neg_log";
  header += hasReference ? ",reference_neg_log,divergence,agrees\n" : "\n";
  check(file->append(header.data(), header.size()));
}

ScoreFile::~ScoreFile() = default;

void ScoreFile::append(const Scores &scores, size_t first) {
  std::ostringstream lines;
  lines << std::setprecision(std::numeric_limits<double>::max_digits10);
  for (size_t i = 0; i < scores.negativeLogs.size(); ++i) {
    lines << chunk << ',' << first + i << ',' << scores.negativeLogs[i];
    if (scores.hasReference()) {
      lines << ',' << scores.referenceNegativeLogs[i] << ','
            << scores.divergences[i] << ',' << scores.agreements[i];
    }
    lines << '\n';
  }
  std::string text = lines.str();
  check(file->append(text.data(), text.size()));
  ++chunk;
}

void ScoreFile::finish() { check(file->commit()); }

} // namespace umber::tools
