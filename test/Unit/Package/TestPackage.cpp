// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/Package/TestPackage.h"

#include "runtime/package/PackageWriter.h"

#include <gtest/gtest.h>

using namespace umber;

void test::writeTestPackage(const std::string &path,
                            const std::vector<TestSegment> &segments,
                            fbs::PackageT meta,
                            const std::function<void(fbs::PackageT &)> &edit) {
  auto created = PackageWriter::create(path);
  ASSERT_TRUE(created.ok()) << created.status().message();
  PackageWriter &writer = **created;
  for (const TestSegment &segment : segments) {
    auto begun = writer.beginSegment(segment.kind, segment.name);
    ASSERT_TRUE(begun.ok()) << begun.status().message();
    Status status = writer.append(segment.bytes.data(), segment.bytes.size());
    ASSERT_TRUE(status.ok()) << status.message();
    status = writer.endSegment();
    ASSERT_TRUE(status.ok()) << status.message();
  }
  flatbuffers::FlatBufferBuilder builder;
  auto described = writer.describeSegments(builder);
  for (const fbs::Segment *segment :
       *flatbuffers::GetTemporaryPointer(builder, described)) {
    meta.segments.emplace_back(segment->UnPack());
  }
  if (edit) {
    edit(meta);
  }
  builder.Clear();
  fbs::FinishPackageBuffer(builder, fbs::Package::Pack(builder, &meta));
  Status status = writer.finish(builder.GetBufferPointer(), builder.GetSize());
  ASSERT_TRUE(status.ok()) << status.message();
}
