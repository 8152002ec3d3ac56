using System.IO.Hashing;
using NinCudnn.Formats;
using Xunit;

namespace NinCudnn.Tests.Formats;

public sealed class SafetensorsChecksumTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _path;

    public SafetensorsChecksumTests()
    {
        _path = _directory.File("a.safetensors");
        var writer = new SafetensorsWriter { HasChecksum = true, Metadata = { ["step"] = "3" } };
        writer.Add("w", [2, 2], new[] { 1f, 2f, 3f, 4f });
        writer.Add("flags", SafetensorsType.U8, [3], new byte[] { 1, 2, 3 });
        writer.Save(_path);
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Save_WithChecksum_EndsInTheHashOfAllBytesBefore()
    {
        byte[] bytes = File.ReadAllBytes(_path);
        using var file = SafetensorsFile.Open(_path);

        file.VerifyChecksum();

        Assert.True(file.HasChecksum);
        Assert.Equal(XxHash128.Hash(bytes.AsSpan(..^16)), bytes[^16..]);
        Assert.Equal([1f, 2f, 3f, 4f], file.ReadSingles("w"));
    }

    [Fact]
    public void Verify_AnyBitFlippedOrAnyLengthCut_IsNoticed()
    {
        byte[] bytes = File.ReadAllBytes(_path);
        string damaged = _directory.File("damaged.safetensors");
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            Refuse(bytes);
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
        for (int length = 0; length < bytes.Length; length++)
            Refuse(bytes[..length]);

        void Refuse(byte[] content)
        {
            File.WriteAllBytes(damaged, content);
            Assert.Throws<InvalidDataException>(() =>
            {
                using var file = SafetensorsFile.Open(damaged);
                file.VerifyChecksum();
            });
        }
    }

    [Fact]
    public void Verify_WithoutChecksum_IsRefused()
    {
        new SafetensorsWriter().Save(_path);
        using var file = SafetensorsFile.Open(_path);

        Assert.False(file.HasChecksum);
        Assert.Contains("does not end in a checksum", Assert.Throws<InvalidDataException>(file.VerifyChecksum).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Add_TheChecksumsName_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new SafetensorsWriter().Add("nin.xxh128", [1], new[] { 1f }));
}
