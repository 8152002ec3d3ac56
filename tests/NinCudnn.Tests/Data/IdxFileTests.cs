using System.Buffers.Binary;
using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class IdxFileTests : IDisposable
{
    private static readonly byte[] _images = IdxBytes.Images(3, 2, 5);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_Images_GivesShapeAndValues(bool isGzip)
    {
        var tensor = IdxFile.Read(Write(isGzip ? IdxBytes.Gzip(_images) : _images), rank: 3);

        Assert.Equal([3, 2, 5], tensor.Shape);
        Assert.Equal(_images[16..], tensor.Values);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_Labels_GivesShapeAndValues(bool isGzip)
    {
        var bytes = IdxBytes.Labels(7, 0, 255);
        var tensor = IdxFile.Read(Write(isGzip ? IdxBytes.Gzip(bytes) : bytes), rank: 1);

        Assert.Equal([3], tensor.Shape);
        Assert.Equal([7, 0, 255], tensor.Values);
    }

    [Theory]
    [InlineData("labels.gz", false)]
    [InlineData("labels", true)]
    public void Read_NameOfTheOtherKind_IsDecidedByTheBytes(string name, bool isGzip)
    {
        var bytes = IdxBytes.Labels(1, 2);

        Assert.Equal([1, 2], IdxFile.Read(_directory.Write(name, isGzip ? IdxBytes.Gzip(bytes) : bytes), rank: 1).Values);
    }

    [Fact]
    public void Read_PlainCutAnywhere_Throws()
    {
        for (var length = 0; length < _images.Length; length++)
            AssertRefused(_images[..length], 3, "");
    }

    [Fact]
    public void Read_GzipCutAnywhere_Throws()
    {
        var bytes = IdxBytes.Gzip(_images);
        for (var length = 0; length < bytes.Length; length++)
            AssertRefused(bytes[..length], 3, "");
    }

    [Fact]
    public void Read_GzipWithAnyBitFlippedAfterItsHeader_ThrowsOrGivesTheSameValues()
    {
        // A few bits carry no meaning (padding of the deflate stream); all others are covered by the CRC-32, the length or the syntax.
        var bytes = IdxBytes.Gzip(_images);
        var refused = 0;
        for (var bit = 10 * 8; bit < bytes.Length * 8; bit++)
        {
            var damaged = bytes.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.Equal(_images[16..], IdxFile.Read(Write(damaged), rank: 3).Values);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, (bytes.Length - 10) * 8 - 7, (bytes.Length - 10) * 8);
    }

    [Theory]
    [InlineData(0, "begins with")]
    [InlineData(3, "inside the header of 16 bytes")]
    [InlineData(4, "offset 4, inside the header of 16 bytes")]
    [InlineData(15, "offset 15, inside the header of 16 bytes")]
    [InlineData(16, "3×2×5 = 30 bytes, the file has 0 after the header")]
    [InlineData(45, "3×2×5 = 30 bytes, the file has 29 after the header")]
    public void Read_CutAtAStructure_SaysWhere(int length, string expected)
    {
        if (length == 0)
            AssertRefused([.. "HTTP"u8, .. _images], 3, expected);
        else
            AssertRefused(_images[..length], 3, expected);
    }

    [Fact]
    public void Read_TrailingByte_Throws()
    {
        byte[] longer = [.. _images, 0];
        AssertRefused(longer, 3, "the file has 31 after the header");
        AssertRefused(IdxBytes.Gzip(longer), 3, "the gzip trailer states 31 after the header");
        AssertRefused([.. IdxBytes.Gzip(_images), 1, 2, 3, 4, 5], 3, "gzip trailer");
    }

    [Fact]
    public void Read_SecondGzipMember_Throws() => AssertRefused(
        [.. IdxBytes.Gzip(_images), .. IdxBytes.Gzip(new byte[_images.Length])], 3, "bytes after the last element, from offset 46");

    [Theory]
    [InlineData(0x09, "element type 0x09 at offset 2")]
    [InlineData(0x0d, "element type 0x0D at offset 2")]
    [InlineData(0x00, "element type 0x00 at offset 2")]
    public void Read_OtherElementType_Throws(byte type, string expected) =>
        AssertRefused(IdxBytes.Of(type, [4], [1, 2, 3, 4]), 1, expected);

    [Theory]
    [InlineData(1, 3, "rank 1 at offset 3, expected 3")]
    [InlineData(3, 1, "rank 3 at offset 3, expected 1")]
    [InlineData(2, 3, "rank 2 at offset 3, expected 3")]
    public void Read_OtherRank_Throws(int rank, int expectedRank, string expected) =>
        AssertRefused(IdxBytes.Of(8, [.. Enumerable.Repeat(1u, rank)], [1]), expectedRank, expected);

    [Theory]
    [InlineData(0u, 2u, 5u, "dimension 0 at offset 4 is 0")]
    [InlineData(3u, 0u, 5u, "dimension 1 at offset 8 is 0")]
    [InlineData(3u, 2u, 0u, "dimension 2 at offset 12 is 0")]
    [InlineData(0x80000000u, 1u, 1u, "dimension 0 at offset 4 is 2147483648")]
    [InlineData(0x7fffffffu, 0x7fffffffu, 0x7fffffffu, "9903520300447984150353281023 bytes")]
    [InlineData(100000u, 100000u, 100000u, "1000000000000000 bytes")]
    [InlineData(0x10000u, 0x10000u, 1u, "4294967296 bytes")]
    [InlineData(2u, 2u, 5u, "the file has 30 after the header")]
    [InlineData(4u, 2u, 5u, "the file has 30 after the header")]
    public void Read_DimensionsThatDoNotFit_Throws(uint count, uint height, uint width, string expected)
    {
        var bytes = IdxBytes.Of(8, [count, height, width], _images.AsSpan(16));

        var before = GC.GetAllocatedBytesForCurrentThread();
        AssertRefused(bytes, 3, expected);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20); // nothing big was allocated
    }

    [Fact]
    public void Read_GzipThatClaimsGigabytes_Throws()
    {
        // Header and gzip trailer agree on 2 GB that so short a file cannot hold.
        var bytes = IdxBytes.Gzip(IdxBytes.Of(8, [2_000_000_000], [1, 2, 3]));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), 2_000_000_008);

        AssertRefused(bytes, 1, "states 2000000008 bytes of content, more than a file of");
    }

    [Fact]
    public void Read_GzipGarbage_Throws()
    {
        var garbage = new byte[400];
        new Random(1).NextBytes(garbage);
        new byte[] { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 }.CopyTo(garbage, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(garbage.AsSpan(garbage.Length - 4), (uint)_images.Length);

        AssertRefused(garbage, 3, "");
    }

    [Fact]
    public void Read_MissingFile_Throws() => Assert.Throws<FileNotFoundException>(() => IdxFile.Read(_directory.File("none"), rank: 1));

    [Fact]
    public void Read_RankTwo_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => IdxFile.Read(_directory.File("none"), rank: 2));

    private string Write(ReadOnlySpan<byte> bytes) => _directory.Write("file", bytes);

    private void AssertRefused(ReadOnlySpan<byte> bytes, int rank, string expected)
    {
        var path = Write(bytes);
        var error = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path, rank));
        Assert.StartsWith($"{path}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
