using System.Buffers.Binary;
using System.Text;
using NinCudnn.Formats;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Networks;
using NinCudnn.Tests.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>Files that hold parameters alone, as PyTorch's users write and read them.</summary>
public sealed class StateDictTests : IDisposable
{
    private static readonly ModelDescription _description = new(
        TinyNetwork.Architecture(inputChannels: 2), TinyNetwork.ImageSize, new Normalization([0.25f, 0.1f], [0.5f, 0.3f]), ["left", "middle", "right"]);

    private readonly TemporaryDirectory _directory = new();

    private string Path => _directory.File("net.safetensors");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Export_File_HoldsTheParametersAloneAndSaysPyTorch()
    {
        new ModelFile(_description, Parameters()).Export(Path);

        using SafetensorsFile file = SafetensorsFile.Open(Path);
        Assert.Equal(new Dictionary<string, string> { ["format"] = "pt" }, file.Metadata);
        Assert.Equal(Parameter.Enumerate(_description.Architecture).Select(parameter => parameter.Name), file.Tensors.Keys);
        Assert.Equal([7, 6, 3, 3], file.Tensors["3.0.weight"].Shape);
        Assert.Equal(Parameters()["3.0.weight"], file.ReadSingles("3.0.weight"));
    }

    [Fact]
    public void Import_WhatWasExported_IsTheSame()
    {
        new ModelFile(_description, Parameters()).Export(Path);

        ModelFile model = ModelFile.Import(Path, _description);

        Assert.Same(_description, model.Description);
        Assert.Equal(Parameters(), model.Parameters);
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("F16")]
    [InlineData("BF16")]
    public void Import_FileOfAnotherWriter_IsReadInAnyOrderAndType(string type)
    {
        Dictionary<string, float[]> parameters = Parameters();
        Write([.. Tensors(type)]);

        ModelFile model = ModelFile.Import(Path, _description);

        Assert.Equal(parameters, model.Parameters); // multiples of 1/8 up to 1 have few bits
        model.Save(_directory.File("model.safetensors"));
        Assert.Equal(parameters, ModelFile.Load(_directory.File("model.safetensors")).Parameters);
    }

    [Fact]
    public void Import_WrongShape_NamesBoth()
    {
        Write([.. Tensors().Select(tensor => tensor.Name == "3.0.weight" ? tensor with { Shape = [7, 6, 1, 9] } : tensor)]);
        CheckRefused("3.0.weight has the shape 7×6×1×9, expected 7×6×3×3");
    }

    [Fact]
    public void Import_ScalarForABias_IsNamed()
    {
        Write([.. Tensors().Select(tensor => tensor.Name == "3.0.bias" ? tensor with { Shape = [], Bytes = tensor.Bytes[..4] } : tensor)]);
        CheckRefused("3.0.bias has the shape scalar, expected 7");
    }

    [Fact]
    public void Import_MissingTensor_IsNamed()
    {
        Write([.. Tensors().Where(tensor => tensor.Name != "3.2.weight")]);
        CheckRefused("there is no tensor 3.2.weight (5×7×1×1)");
    }

    [Fact]
    public void Import_NamesWithAPrefix_ShowsOneBesideTheRightOne()
    {
        Write([.. Tensors().Select(tensor => tensor with { Name = "net." + tensor.Name })]);
        CheckRefused("there is no tensor 0.0.weight (6×2×3×3), but net.3.4.bias (3)");
    }

    [Fact]
    public void Import_SuperfluousTensor_IsNamed()
    {
        Write([.. Tensors(), new Tensor("6.weight", "F32", [1, 2], new byte[8])]);
        CheckRefused("6.weight (1×2) is no parameter of the network tiny");
    }

    [Fact]
    public void Import_DoublePrecision_IsRefused()
    {
        Write([.. Tensors().Select(tensor => tensor.Name == "0.0.bias" ? tensor with { Type = "F64", Bytes = new byte[48] } : tensor)]);
        CheckRefused("tensor '0.0.bias' has the type F64, expected F32, F16 or BF16");
    }

    [Fact]
    public void Import_DescriptionThatDoesNotFit_IsRefused()
    {
        Write([.. Tensors()]);
        Assert.Throws<ArgumentException>(() => ModelFile.Import(Path, _description with { ClassNames = ["left"] }));
        Assert.Throws<ArgumentException>(() => ModelFile.Import(Path, _description with { ImageSize = 2 }));
    }

    [Fact]
    public void Import_NoFile_ThrowsIOException() => Assert.ThrowsAny<IOException>(() => ModelFile.Import(_directory.File("none"), _description));

    private void CheckRefused(string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => ModelFile.Import(Path, _description));
        Assert.StartsWith(Path + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        File.Delete(Path); // it is not held open
    }

    /// <summary>
    /// Writes a file byte by byte as the format allows and our writer does not: the header in another order than the data and unpadded,
    /// so that tensors are not aligned; white space in it; members in another order.
    /// </summary>
    private void Write(Tensor[] tensors)
    {
        var entries = new List<string>();
        var data = new List<byte>();
        foreach (Tensor tensor in tensors)
        {
            entries.Add(
                $$"""  "{{tensor.Name}}" : {"data_offsets":[{{data.Count}}, {{data.Count + tensor.Bytes.Length}}], "shape":[{{string.Join(" ,", tensor.Shape)}}],"dtype":"{{tensor.Type}}"}""");
            data.AddRange(tensor.Bytes);
        }
        entries.Reverse();
        entries.Insert(entries.Count / 2, """ "__metadata__": {"format": "pt", "epoch": "3"}""");
        string json = "{\n" + string.Join(",\n", entries) + "}";
        byte[] header = Encoding.UTF8.GetBytes(json.Length % 8 == 0 ? json + " " : json);
        Assert.NotEqual(0, header.Length % 8);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        _directory.Write("net.safetensors", [.. length, .. header, .. data]);
    }

    /// <summary>The network's parameters, the last first.</summary>
    private static IEnumerable<Tensor> Tensors(string type = "F32") => Parameter.Enumerate(_description.Architecture).Reverse()
        .Select(parameter => new Tensor(parameter.Name, type, [.. parameter.Shape], [.. Parameters()[parameter.Name].SelectMany(value => Encode(value, type))]));

    private static byte[] Encode(float value, string type) => type switch
    {
        "F32" => BitConverter.GetBytes(value),
        "F16" => BitConverter.GetBytes((Half)value),
        _ => BitConverter.GetBytes(value)[2..], // bfloat16 is the upper half
    };

    private static Dictionary<string, float[]> Parameters() => Parameter.Enumerate(_description.Architecture).ToDictionary(
        parameter => parameter.Name,
        parameter => TestNumbers.Integers(parameter.Count, bound: 8, (ulong)parameter.Offset).Select(value => value / 8).ToArray());

    private sealed record Tensor(string Name, string Type, int[] Shape, byte[] Bytes);
}
