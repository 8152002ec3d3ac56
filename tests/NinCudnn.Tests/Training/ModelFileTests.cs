using NinCudnn.Formats;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Networks;
using NinCudnn.Tests.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public sealed class ModelFileTests : IDisposable
{
    private static readonly ModelDescription _description = new(
        TinyNetwork.Architecture(inputChannels: 2), TinyNetwork.ImageSize, new Normalization([0.25f, 0.1f], [0.5f, 0.3f]), ["left", "middle", "ri\"ght"]);

    private readonly TemporaryDirectory _directory = new();

    private string Path => _directory.File("model.safetensors");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Load_WhatWasSaved_IsTheSame()
    {
        Dictionary<string, float[]> parameters = Parameters();
        new ModelFile(_description, parameters).Save(Path);

        ModelFile copy = ModelFile.Load(Path);

        Assert.Equal(ArchitectureJson.Write(_description.Architecture), ArchitectureJson.Write(copy.Description.Architecture));
        Assert.Equal(_description.ImageSize, copy.Description.ImageSize);
        Assert.Equal(_description.Normalization.Mean, copy.Description.Normalization.Mean);
        Assert.Equal(_description.Normalization.Deviation, copy.Description.Normalization.Deviation);
        Assert.Equal(_description.ClassNames, copy.Description.ClassNames);
        Assert.Equal(parameters, copy.Parameters);
        Assert.Equal(["model.safetensors"], _directory.Files()); // no temporary file is left
    }

    [Fact]
    public void Save_Tensors_HavePyTorchsNamesAndShapes()
    {
        new ModelFile(_description, Parameters()).Save(Path);
        using SafetensorsFile file = SafetensorsFile.Open(Path);
        Assert.Equal([7, 6, 3, 3], file.Tensors["3.0.weight"].Shape);
        Assert.Equal([7], file.Tensors["3.0.bias"].Shape);
        Assert.Equal(12, file.Tensors.Count);
        Assert.All(file.Tensors.Values, tensor => Assert.Equal(SafetensorsType.F32, tensor.Type));
    }

    [Fact]
    public void Save_MissingParameter_LeavesAnEarlierFileAsItWas()
    {
        new ModelFile(_description, Parameters()).Save(Path);
        byte[] before = File.ReadAllBytes(Path);
        Dictionary<string, float[]> parameters = Parameters();
        parameters.Remove("3.4.bias");

        Assert.ThrowsAny<Exception>(() => new ModelFile(_description, parameters).Save(Path));

        Assert.Equal(before, File.ReadAllBytes(Path));
        Assert.Equal(["model.safetensors"], _directory.Files());
    }

    [Fact]
    public void Load_MissingTensor_NamesFileAndTensor()
    {
        Write(skip: "3.2.bias");
        CheckRefused("there is no tensor 3.2.bias (5)");
    }

    [Fact]
    public void Load_WrongShape_NamesBothShapes()
    {
        Write(reshape: ("0.0.weight", [6, 3, 2, 3]));
        CheckRefused("0.0.weight has the shape 6×3×2×3, expected 6×2×3×3");
    }

    [Fact]
    public void Load_HalfPrecision_IsWidened()
    {
        Write(skip: "3.4.bias", add: writer => writer.Add("3.4.bias", SafetensorsType.F16, [3], new byte[] { 0x00, 0x3C, 0x00, 0xC0, 0, 0 }));
        Assert.Equal([1, -2, 0], ModelFile.Load(Path).Parameters["3.4.bias"]);
    }

    [Fact]
    public void Load_Integers_AreRefused()
    {
        Write(skip: "3.4.bias", add: writer => writer.Add("3.4.bias", SafetensorsType.I32, [3], new byte[12]));
        CheckRefused("3.4.bias");
    }

    [Theory]
    [InlineData("nin.architecture")]
    [InlineData("nin.input")]
    public void Load_MissingMetadata_SaysThatSomebodyElseWroteIt(string key)
    {
        Write(metadata: metadata => metadata.Remove(key));
        CheckRefused("the metadata has no nin.architecture or no nin.input; it was not written by NinCudnn");
    }

    [Theory]
    [InlineData("nin.architecture", "nonsense", "the architecture is not valid")]
    [InlineData("nin.architecture", "null", "the architecture is null")]
    [InlineData("nin.input", "nonsense", "")]
    [InlineData("nin.input", "null", "nin.input is null")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1, 1]}""", "class_names")]
    [InlineData("nin.input", """{"image_size": 12, "mean": null, "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "mean")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0], "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "one mean and deviation per channel")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1], "class_names": ["a", "b", "c"]}""", "one mean and deviation per channel")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1, 1], "class_names": ["a", "b"]}""", "one name per class")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1, 0], "class_names": ["a", "b", "c"]}""", "a deviation that is not positive")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1, 1e39], "class_names": ["a", "b", "c"]}""", "not positive, or too large or small")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1, 1e-42], "class_names": ["a", "b", "c"]}""", "not positive, or too large or small")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, -1e39], "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "a mean that is not finite")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "deviation": [1, 1], "class_names": ["a", null, "c"]}""", "a class without a name")]
    [InlineData("nin.input", """{"image_size": 12, "mean": [0, 0], "mean": [1, 1], "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "Duplicate")]
    [InlineData("nin.input", """{"image_size": 4097, "mean": [0, 0], "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "the image size is 4097, but must be between 1 and 4096")]
    [InlineData("nin.architecture", "{\"a\\nb\": 1}", "a\\u000ab")]
    [InlineData("nin.input", """{"image_size": 2, "mean": [0, 0], "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "3×3 window on 2×2 input")]
    [InlineData("nin.input", """{"image_size": -1, "mean": [0, 0], "deviation": [1, 1], "class_names": ["a", "b", "c"]}""", "extents and strides must be at least 1")]
    public void Load_WrongMetadata_SaysWhatIsWrong(string key, string value, string expected)
    {
        Write(metadata: metadata => metadata[key] = value);
        CheckRefused(expected);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    [InlineData(float.NegativeInfinity, "-Infinity")]
    public void Load_ParameterThatIsNotFinite_NamesIt(float value, string text)
    {
        Write(skip: "3.4.bias", add: writer => writer.Add("3.4.bias", [3], new[] { 1, value, 0 }));
        CheckRefused($"element 1 of 3.4.bias is {text}; the training that it is from has diverged, or the file is damaged");

        Write(skip: "3.4.bias", add: writer => writer.Add("3.4.bias", [3], new[] { 1, value, 0 }));
        Assert.Throws<InvalidDataException>(() => ModelFile.Import(Path, _description));
    }

    [Fact]
    public void Load_ArchitectureBeyondAllMemory_IsRefused()
    {
        // Tensors that no array can hold: refused by size, before anything of that size is allocated.
        var huge = new Architecture("huge", 2, 3, [new NinBlock(2_000_000_000, 1, 1, 0, [3]), new GlobalAveragePool(), new Flatten()]);
        Write(metadata: metadata => metadata["nin.architecture"] = ArchitectureJson.Write(huge));
        CheckRefused("0.0.weight would have 4000000000 elements");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(-1)]
    [InlineData(-500)]
    public void Load_Truncated_IsRefused(int bytes)
    {
        new ModelFile(_description, Parameters()).Save(Path);
        byte[] content = File.ReadAllBytes(Path);
        File.WriteAllBytes(Path, content[..(bytes >= 0 ? bytes : content.Length + bytes)]);
        CheckRefused("");
    }

    [Fact]
    public void Load_NoFile_ThrowsIOException() => Assert.ThrowsAny<IOException>(() => ModelFile.Load(_directory.File("none")));

    private void CheckRefused(string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => ModelFile.Load(Path));
        Assert.StartsWith(Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        File.Delete(Path); // it is not held open
    }

    /// <summary>Writes a file with one thing changed.</summary>
    private void Write(
        string? skip = null, (string Name, int[] Shape)? reshape = null, Action<IDictionary<string, string>>? metadata = null,
        Action<SafetensorsWriter>? add = null)
    {
        var model = new ModelFile(_description, Parameters());
        model.Save(Path);
        var writer = new SafetensorsWriter();
        using (SafetensorsFile file = SafetensorsFile.Open(Path))
        {
            foreach (var (key, value) in file.Metadata)
                writer.Metadata[key] = value;
        }
        metadata?.Invoke(writer.Metadata);
        foreach (Parameter parameter in Parameter.Enumerate(_description.Architecture).Where(parameter => parameter.Name != skip))
        {
            int[] shape = reshape is { } change && change.Name == parameter.Name ? change.Shape : [.. parameter.Shape];
            writer.Add(parameter.Name, shape, model.Parameters[parameter.Name]);
        }
        add?.Invoke(writer);
        writer.Save(Path);
    }

    private static Dictionary<string, float[]> Parameters() => Parameter.Enumerate(_description.Architecture).ToDictionary(
        parameter => parameter.Name, parameter => TestNumbers.Uniform(parameter.Count, -1, 1, (ulong)parameter.Offset));
}
