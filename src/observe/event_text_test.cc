// Goal: an event is one that any reader of text/event-stream takes, whatever bytes came.
// Method: made-up names of files, compared with text written out here.
#include <gtest/gtest.h>

#include "base/json_text.h"
#include "observe/event_hub.h"

namespace vecload::observe {
namespace {

TEST(EventText, IsAnEventOfOneLine) {
  EXPECT_EQ(EventText("job", R"({"a":1})"), "event: job\ndata: {\"a\":1}\n\n");
}

TEST(EventText, IsUtf8WhateverBytesANameHas) {
  EXPECT_EQ(EventText("job", "\"caf\xe9.parquet\""),
            "event: job\ndata: \"caf\xef\xbf\xbd.parquet\"\n\n");
  EXPECT_EQ(AsUtf8("\xff\xc3\xa9\xe2\x82"), "\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(AsUtf8("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(AsUtf8(""), "");
}

}  // namespace
}  // namespace vecload::observe
