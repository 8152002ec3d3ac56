using System.Buffers.Binary;
using System.Text;
using NinCudnn.Formats;
using Xunit;

namespace NinCudnn.Tests.Formats;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string TwoTensors = """
        {"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},
        "b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}
        """;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Open_TwoTensors_GivesTheHeaderAndTheData()
    {
        var data = new byte[] { 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 7, 8, 9 };
        using var file = SafetensorsFile.Open(Write(TwoTensors, data));

        Assert.Equal(["a", "b"], file.Tensors.Keys);
        Assert.Equal("pt", Assert.Single(file.Metadata).Value);
        var a = file.Tensors["a"];
        Assert.Equal((SafetensorsType.F32, 0L, 8L, 8L, 2L), (a.Type, a.Begin, a.End, a.ByteCount, a.ElementCount));
        Assert.Equal([2, 1], a.Shape);
        Assert.Equal([1f, -2f], file.ReadSingles("a"));
        Assert.Equal(data[..8], file.ReadBytes("a"));
        Assert.Equal([7, 8, 9], file.ReadBytes("b"));
    }

    [Fact]
    public void Open_EveryType_KnowsItsSize()
    {
        var sizes = new Dictionary<string, int>
        {
            ["BOOL"] = 1,
            ["U8"] = 1,
            ["I8"] = 1,
            ["F8_E5M2"] = 1,
            ["F8_E4M3"] = 1,
            ["I16"] = 2,
            ["U16"] = 2,
            ["F16"] = 2,
            ["BF16"] = 2,
            ["I32"] = 4,
            ["U32"] = 4,
            ["F32"] = 4,
            ["I64"] = 8,
            ["U64"] = 8,
            ["F64"] = 8,
        };
        Assert.Equal(Enum.GetNames<SafetensorsType>().Order(), sizes.Keys.Order());
        foreach (var (type, size) in sizes)
        {
            using var file = SafetensorsFile.Open(Write(Entry("x", type, "3", 0, 3 * size), new byte[3 * size]));
            Assert.Equal(type, file.Tensors["x"].Type.ToString());
            Assert.Equal(3, file.Tensors["x"].ElementCount);
        }
    }

    [Fact]
    public void ReadSingles_HalfPrecision_IsExact()
    {
        // 1, -2, the largest, the smallest denormal, infinity.
        ushort[] halves = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00];
        using var file = SafetensorsFile.Open(Write(Entry("x", "F16", "5", 0, 10), Bytes(halves)));

        Assert.Equal([1f, -2f, 65504f, MathF.ScaleB(1, -24), float.PositiveInfinity], file.ReadSingles("x"));
    }

    [Fact]
    public void ReadSingles_Bfloat16_IsExact()
    {
        ushort[] halves = [0x3f80, 0xc049, 0x7f80, 0x0001];
        using var file = SafetensorsFile.Open(Write(Entry("x", "BF16", "4", 0, 8), Bytes(halves)));

        Assert.Equal([1f, -3.140625f, float.PositiveInfinity, BitConverter.Int32BitsToSingle(0x00010000)], file.ReadSingles("x"));
    }

    [Fact]
    public void ReadSingles_Integers_Throws()
    {
        using var file = SafetensorsFile.Open(Write(Entry("x", "I32", "1", 0, 4), new byte[4]));

        var error = Assert.Throws<InvalidDataException>(() => file.ReadSingles("x"));
        Assert.Contains("tensor 'x' has the type I32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_UnknownName_Throws()
    {
        using var file = SafetensorsFile.Open(Write(TwoTensors, new byte[11]));

        Assert.Contains("'c'", Assert.Throws<KeyNotFoundException>(() => file.ReadBytes("c")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_AfterDispose_Throws()
    {
        var file = SafetensorsFile.Open(Write(TwoTensors, new byte[11]));
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.ReadSingles("a"));
    }

    [Fact]
    public void Read_FileCutWhileOpen_Throws()
    {
        var path = Write(TwoTensors, new byte[11]);
        using var file = SafetensorsFile.Open(path);
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            stream.SetLength(stream.Length - 4);

        var error = Assert.Throws<InvalidDataException>(() => file.ReadBytes("b"));
        Assert.Contains("was cut while it was open", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{}      ", 0)]
    [InlineData("""{"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", 4)] // a scalar
    [InlineData("""{"x":{"dtype":"F32","shape":[3,0],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"x":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,0],"data_offsets":[0,0]}}""", 0)]
    [InlineData("""{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}""", 2)]
    [InlineData("""{"x":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"y":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1)]
    public void Open_UnusualButRight_Succeeds(string header, int dataBytes)
    {
        using var file = SafetensorsFile.Open(Write(header, new byte[dataBytes]));
        Assert.Equal(dataBytes, file.Tensors.Values.Sum(tensor => tensor.ByteCount));
    }

    [Fact]
    public void Open_CutAnywhere_Throws()
    {
        var whole = File.ReadAllBytes(Write(TwoTensors, new byte[11]));
        for (var length = 0; length < whole.Length; length++)
            AssertRefused(_directory.Write("cut", whole.AsSpan(0, length)), "");
    }

    [Theory]
    [InlineData(7, "7 bytes, too short for the header length at offset 0")]
    [InlineData(8, "header length 141 at offset 0, at most 0 is possible here")]
    [InlineData(100, "header length 141 at offset 0, at most 92 is possible here")]
    [InlineData(149, "data_offsets [0, 8], the file has 0 bytes of data")]
    [InlineData(159, "data_offsets [8, 11], the file has 10 bytes of data")]
    public void Open_CutAtAStructure_SaysWhere(int length, string expected)
    {
        var whole = File.ReadAllBytes(Write(TwoTensors, new byte[11]));
        AssertRefused(_directory.Write("cut", whole.AsSpan(0, length)), expected);
    }

    [Theory]
    [InlineData(142UL)] // one byte of data taken for header
    [InlineData(140UL)]
    [InlineData(0UL)]
    [InlineData(152UL)]
    [InlineData(100_000_001UL)]
    [InlineData(0x7fffffffffffffffUL)]
    [InlineData(0xffffffffffffffffUL)]
    public void Open_WrongHeaderLength_Throws(ulong length)
    {
        var whole = File.ReadAllBytes(Write(TwoTensors, new byte[11]));
        BinaryPrimitives.WriteUInt64LittleEndian(whole, length);
        AssertRefused(_directory.Write("wrong", whole), "");
    }

    [Theory]
    [InlineData("""[]""", 0, "the header: found StartArray")]
    [InlineData("""{"x":1}""", 0, "tensor 'x': found Number")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", 4, "not valid JSON")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}""", 4, "not valid JSON")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}""", 4, "not valid JSON")]
    [InlineData("""{"x":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown dtype 'F33'")]
    [InlineData("""{"x":{"dtype":"11","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown dtype '11'")]
    [InlineData("""{"x":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}""", 4, "dtype of 'x': found Number")]
    [InlineData("""{"x":{"shape":[1],"data_offsets":[0,4]}}""", 4, "lacks dtype")]
    [InlineData("""{"x":{"dtype":"F32","data_offsets":[0,4]}}""", 4, "lacks dtype, shape")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1]}}""", 4, "or data_offsets")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""", 4, "unknown or second 'more'")]
    [InlineData("""{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4, "unknown or second 'dtype'")]
    [InlineData("""{"x":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", 4, "shape of 'x': found Number")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "not a whole number from 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", 4, "not a whole number from 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", 4, "not a whole number from 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2147483648],"data_offsets":[0,4]}}""", 4, "not a whole number from 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", 4, "data_offsets of 'x': found EndArray")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", 4, "data_offsets of 'x': found Number where EndArray")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4.5]}}""", 4, "are not whole numbers")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}""", 4, "data_offsets [-4, 0]")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", 4, "data_offsets [4, 0]")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}""", 4, "the file has 4 bytes of data")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}""", 4, "the file has 4 bytes of data")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "4 bytes of data, F32 [2] needs another number")]
    [InlineData("""{"x":{"dtype":"F32","shape":[65536,65536,65536,65536,1],"data_offsets":[0,0]}}""", 0, "needs another number")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1073741824,1073741824,16],"data_offsets":[0,0]}}""", 0, "needs another number")]
    [InlineData("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2,
        "'x' occurs twice")]
    [InlineData("""{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3,
        "'y' begins at data offset 1 and overlaps")]
    [InlineData("""{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"y":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2,
        "overlaps")]
    [InlineData("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "'x' begins at data offset 1 and leaves a gap")]
    [InlineData("""{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 2,
        "the tensors end at data offset 1, the file has 2 bytes of data")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "__metadata__ 'a': found Number")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "__metadata__ 'a' occurs twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "__metadata__ occurs twice")]
    [InlineData("""{"__metadata__":[]}""", 0, "__metadata__: found StartArray")]
    public void Open_WrongHeader_SaysWhatIsWrong(string header, int dataBytes, string expected) =>
        AssertRefused(Write(header, new byte[dataBytes]), expected);

    [Fact]
    public void Open_NameWithControlCharacters_IsShownOnOneLine() =>
        AssertRefused(Write("""{"a\n\u001b[2J":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}}""", [0, 0]), @"tensor 'a\u000a\u001b[2J' has 2 bytes");

    [Fact]
    public void Open_HeaderError_GivesItsOffset() => // 8 bytes of length, then the token 1 at offset 5 of the JSON
        AssertRefused(Write("""{"x":1}""", []), "found Number where StartObject belongs, at offset 13");

    [Fact]
    public void Open_InvalidUtf8_Throws()
    {
        var path = Write("""{"__metadata__":{"a":"??"}}""", []);
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().IndexOf((byte)'?')] = 0xff;
        AssertRefused(_directory.Write("utf8", bytes), "not valid UTF-8");
    }

    [Fact]
    public void Open_DeeplyNested_Throws() => AssertRefused(Write(string.Concat(Enumerable.Repeat("""{"x":""", 100_000)), []), "");

    [Fact]
    public void Open_Refused_ClosesTheFile()
    {
        var path = Write("[]", []);
        AssertRefused(path, "");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.True(stream.CanWrite);
    }

    private static string Entry(string name, string type, string shape, int begin, int end) =>
        $$$"""{"{{{name}}}":{"dtype":"{{{type}}}","shape":[{{{shape}}}],"data_offsets":[{{{begin}}},{{{end}}}]}}""";

    private static byte[] Bytes(ushort[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private string Write(string header, ReadOnlySpan<byte> data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        data.CopyTo(bytes.AsSpan(8 + json.Length));
        return _directory.Write("file.safetensors", bytes);
    }

    private static void AssertRefused(string path, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(path).Dispose());
        Assert.StartsWith($"{path}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
