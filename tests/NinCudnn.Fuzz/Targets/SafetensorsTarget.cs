using System.Buffers.Binary;
using NinCudnn.Formats;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Safetensors files.</summary>
internal sealed class SafetensorsTarget() : FuzzTarget<SafetensorsTarget.Content>("safetensors")
{
    private const int LengthBytes = 8;

    public override IReadOnlyList<byte[]> Corpus { get; } = [Of(WriteSome), Of(WriteOdd)];

    public override int ShortRun => 1500;

    public override Range Json(ReadOnlySpan<byte> input) => JsonOf(input);

    public override byte[] Repair(byte[] input) => Repaired(input);

    /// <summary>The header, as far as its braces go.</summary>
    public static Range JsonOf(ReadOnlySpan<byte> input)
    {
        if (input.Length <= LengthBytes)
            return ..0;
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(input);
        return length <= (ulong)(input.Length - LengthBytes) ? LengthBytes..(LengthBytes + (int)length) : ..0;
    }

    /// <summary>The header's length: up to the last brace that is followed by no text, which no data of the corpus has.</summary>
    public static byte[] Repaired(byte[] input)
    {
        int end = input.AsSpan().LastIndexOf("}}"u8) + 2;
        if (end <= LengthBytes)
            return input;
        byte[] repaired = [.. input];
        while (end < repaired.Length && repaired[end] == (byte)' ')
            end++;
        BinaryPrimitives.WriteInt64LittleEndian(repaired, end - LengthBytes);
        return repaired;
    }

    public static byte[] Of(Action<string> write)
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("file");
        write(path);
        return File.ReadAllBytes(path);
    }

    protected override Content Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return new Content(
            [.. file.Tensors.Values.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End).Select(tensor => (tensor, file.ReadBytes(tensor.Name)))],
            file.Metadata);
    }

    protected override void Check(Content value, string path, byte[] input)
    {
        byte[] data = [.. value.Tensors.SelectMany(tensor => tensor.Bytes)];
        Assert.Equal(input[^data.Length..], data);
        var writer = new SafetensorsWriter();
        foreach (var (tensor, bytes) in value.Tensors)
            writer.Add(tensor.Name, tensor.Type, [.. tensor.Shape], bytes);
        foreach (var (key, text) in value.Metadata)
            writer.Metadata[key] = text;
        writer.Save(path);
        Content again = Read(path);
        Assert.Equal(value.Metadata, again.Metadata);
        Assert.Equal(Described(value), Described(again));
    }

    private static string[] Described(Content content) =>
    [
        .. content.Tensors
            .Select(tensor => $"{tensor.Tensor.Name} {tensor.Tensor.Type} {string.Join(',', tensor.Tensor.Shape)} {Convert.ToHexString(tensor.Bytes)}")
            .Order(StringComparer.Ordinal),
    ];

    private static void WriteSome(string path)
    {
        var writer = new SafetensorsWriter();
        writer.Metadata["format"] = "pt";
        writer.Add("0.0.weight", [2, 1, 3, 3], new float[18]);
        writer.Add("0.0.bias", [2], new float[] { 1, -2 });
        writer.Add("halves", SafetensorsType.F16, [3], new byte[6]);
        writer.Save(path);
    }

    private static void WriteOdd(string path)
    {
        var writer = new SafetensorsWriter();
        writer.Add("empty", SafetensorsType.I64, [0, 4], default(ReadOnlyMemory<byte>));
        writer.Add("scalar", SafetensorsType.U8, [], new byte[1]);
        writer.Save(path);
    }

    internal sealed record Content((SafetensorsTensor Tensor, byte[] Bytes)[] Tensors, IReadOnlyDictionary<string, string> Metadata);
}
