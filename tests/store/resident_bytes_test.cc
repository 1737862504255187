#include "store/resident_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

namespace trims {
namespace {

TEST(ResidentBytesTest, AHandleTakesTheDescriptorOverAndSaysWhatItIs) {
  Result<SealedExtent> extent = SealedCopy("test", std::vector<std::byte>(100, std::byte{7}));
  ASSERT_TRUE(extent.ok());
  const int fd = extent->read_only_fd();
  const Handle handle = HandleOf(*std::move(extent));
  EXPECT_EQ(handle.fd.get(), fd);
  EXPECT_EQ(::fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
  EXPECT_EQ(handle.length, 100u);
  EXPECT_EQ(handle.pages, Pages::kSmall);
  EXPECT_EQ(handle.kind, HandleKind::kHostMemory);
}

}  // namespace
}  // namespace trims
