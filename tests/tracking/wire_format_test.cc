// SPDX-License-Identifier: Apache-2.0
#include "tracking/wire_format.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/proto_fields.h"

namespace linformer {
namespace {

TEST(WireFormat, VarintsHaveTheBytesOfTheSpecification) {
  EXPECT_EQ(Message().integer(1, 150).bytes(), "\x08\x96\x01");
  EXPECT_EQ(Message().integer(1, 127).bytes(), "\x08\x7f");
  EXPECT_EQ(Message().integer(16, 128).bytes(), "\x80\x01\x80\x01");
  EXPECT_EQ(Message().integer(1, -1).bytes(), "\x08" + std::string(9, '\xff') + "\x01");
  EXPECT_EQ(Message().boolean(2, true).bytes(), "\x10\x01");
}

TEST(WireFormat, TextAndMessagesAreLengthDelimited) {
  EXPECT_EQ(Message().text(2, "testing").bytes(), "\x12\x07testing");
  EXPECT_EQ(Message().message(3, Message().integer(1, 150)).bytes(), "\x1a\x03\x08\x96\x01");
  EXPECT_EQ(Message().text(1, std::string(300, 'x')).bytes().substr(0, 3), "\x0a\xac\x02");
}

TEST(WireFormat, TextThatIsNoUtf8IsMadeSo) {
  EXPECT_EQ(Message().text(1, "a\xff").bytes(),
            "\x0a\x04"
            "a\xef\xbf\xbd");
}

TEST(WireFormat, RealsKeepTheirBits) {
  EXPECT_EQ(Message().real32(5, 1.0F).bytes(), std::string("\x2d\0\0\x80\x3f", 5));
  EXPECT_EQ(Message().real(1, 1.0).bytes(), std::string("\x09\0\0\0\0\0\0\xf0\x3f", 9));
  for (const double value : {0.1, -0.0, 5e-324, std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(ProtoFields(Message().real(1, value).bytes()).real(1), value);
  }
}

}  // namespace
}  // namespace linformer
