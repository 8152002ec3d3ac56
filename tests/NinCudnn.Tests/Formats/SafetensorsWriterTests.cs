using System.Buffers.Binary;
using System.Text;
using NinCudnn.Formats;
using Xunit;

namespace NinCudnn.Tests.Formats;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Save_Tensors_AreReadBackBitForBit()
    {
        float[] special = [0f, -0f, float.NaN, float.PositiveInfinity, float.Epsilon, float.MaxValue];
        var writer = new SafetensorsWriter();
        writer.Add("7.4.bias", SafetensorsType.U8, [3], new byte[] { 1, 2, 3 });
        writer.Add("0.0.weight", [1, 2, 3], special);
        writer.Add("scalar", [], new[] { 4f });
        writer.Add("nothing", [5, 0], default);
        writer.Add("step", SafetensorsType.I64, [1], BitConverter.GetBytes(123456789012L));
        writer.Add("ü \"\\", [1], new[] { 5f });
        writer.Metadata["epoch"] = "3";
        writer.Metadata["ä\n"] = "\"";
        writer.Save(_directory.File("a.safetensors"));

        using var file = SafetensorsFile.Open(_directory.File("a.safetensors"));
        Assert.Equal(["step", "0.0.weight", "scalar", "nothing", "ü \"\\", "7.4.bias"], file.Tensors.Keys); // large elements first
        Assert.Equal(special.Select(BitConverter.SingleToInt32Bits), file.ReadSingles("0.0.weight").Select(BitConverter.SingleToInt32Bits));
        Assert.Equal([1, 2, 3], file.Tensors["0.0.weight"].Shape);
        Assert.Equal([1, 2, 3], file.ReadBytes("7.4.bias"));
        Assert.Empty(file.Tensors["scalar"].Shape);
        Assert.Equal([4f], file.ReadSingles("scalar"));
        Assert.Empty(file.ReadSingles("nothing"));
        Assert.Equal(123456789012L, BinaryPrimitives.ReadInt64LittleEndian(file.ReadBytes("step")));
        Assert.Equal(new Dictionary<string, string> { ["epoch"] = "3", ["ä\n"] = "\"" }, file.Metadata);
        Assert.All(file.Tensors.Values, tensor => Assert.Equal(0, tensor.Begin % tensor.Type.SizeInBytes()));
    }

    [Fact]
    public void Save_SmallFile_HasTheDocumentedBytes()
    {
        var writer = new SafetensorsWriter();
        writer.Add("x", [2], new[] { 1f, -2f });
        writer.Save(_directory.File("x"));

        var expected = """{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  """;
        Assert.Equal(0, expected.Length % 8);
        byte[] length = [(byte)expected.Length, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(
            [.. length, .. Encoding.UTF8.GetBytes(expected), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
            File.ReadAllBytes(_directory.File("x")));
    }

    [Fact]
    public void Save_Empty_IsValid()
    {
        new SafetensorsWriter().Save(_directory.File("empty"));

        using var file = SafetensorsFile.Open(_directory.File("empty"));
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void Save_LargeTensor_IsWrittenWhole()
    {
        var values = new float[(1 << 20) * 2 + 3]; // more than one chunk, and a rest
        for (var i = 0; i < values.Length; i++)
            values[i] = i;
        var writer = new SafetensorsWriter();
        writer.Add("x", [values.Length], values);
        writer.Save(_directory.File("large"));

        using var file = SafetensorsFile.Open(_directory.File("large"));
        Assert.True(values.AsSpan().SequenceEqual(file.ReadSingles("x")));
    }

    [Fact]
    public void Save_OldFile_IsReplacedAndNothingElseStays()
    {
        _directory.Write("x", new byte[1000]);
        var writer = new SafetensorsWriter();
        writer.Add("x", [1], new[] { 1f });
        writer.Save(_directory.File("x"));

        using var file = SafetensorsFile.Open(_directory.File("x"));
        Assert.Equal([1f], file.ReadSingles("x"));
        Assert.Equal(["x"], _directory.Files());
    }

    [Fact]
    public void Save_CannotRename_LeavesNoTemporaryFile()
    {
        Directory.CreateDirectory(_directory.File("x"));
        _directory.Write("x/inside", [1]);

        Assert.ThrowsAny<Exception>(() => new SafetensorsWriter().Save(_directory.File("x")));

        Assert.Equal(["x/inside"], _directory.Files());
    }

    [Fact]
    public void Save_NoDirectory_Throws() =>
        Assert.Throws<DirectoryNotFoundException>(() => new SafetensorsWriter().Save(_directory.File("none/x")));

    [Fact]
    public void Add_SameNameTwice_Throws()
    {
        var writer = new SafetensorsWriter();
        writer.Add("x", [1], new[] { 1f });

        var error = Assert.Throws<ArgumentException>(() => writer.Add("x", [1], new[] { 1f }));
        Assert.Contains("'x'", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => writer.Add("__metadata__", [1], new[] { 1f }));
    }

    [Fact]
    public void Add_ShapeDoesNotFit_Throws()
    {
        var writer = new SafetensorsWriter();

        Assert.Throws<ArgumentException>(() => writer.Add("x", [2, 3], new float[5]));
        Assert.Throws<ArgumentException>(() => writer.Add("x", [], new float[2]));
        Assert.Throws<ArgumentException>(() => writer.Add("x", SafetensorsType.BF16, [2], new byte[5]));
        Assert.Throws<ArgumentException>(() => writer.Add("x", [1 << 30, 1 << 30, 16], default));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add("x", [-1, -1], new float[1]));
    }
}
