using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public sealed class ParameterStoreTests : IDisposable
{
    private readonly ParameterStore _store = new(TestDevice.Shared, TinyNetwork.Architecture());

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Create_Memory_IsZero()
    {
        Assert.All(_store.DownloadValues().Values, values => Assert.All(values, value => Assert.Equal(0, value)));
        Assert.All(_store.DownloadGradients().Values, values => Assert.All(values, value => Assert.Equal(0, value)));
        Assert.Equal(_store.Parameters.Sum(parameter => (long)parameter.Count), _store.Count);
        Assert.Equal(_store.FlatCount * sizeof(float), _store.Values.Bytes);
        Assert.Equal(_store.Values.Bytes, _store.Momentum.Bytes);
    }

    [Fact]
    public void DownloadValues_AfterLoad_ReturnsTheSame()
    {
        Dictionary<string, float[]> tensors = Tensors();
        _store.Load(tensors);
        Dictionary<string, float[]> copy = _store.DownloadValues();
        Assert.Equal(tensors.Keys.Order(), copy.Keys.Order());
        Assert.All(tensors, tensor => Assert.Equal(tensor.Value, copy[tensor.Key]));
    }

    [Fact]
    public void Value_OfAWeight_LiesInKrsc()
    {
        Dictionary<string, float[]> tensors = Tensors();
        _store.Load(tensors);
        using var fixture = new OperatorFixture();
        float[] device = fixture.Download<float>(_store.Value("3.0.weight"));
        Assert.Equal(Layout.ToNhwc(tensors["3.0.weight"], [7, 6, 3, 3]), device);
        Assert.Equal(
            _store.Value("3.0.weight").Address.Value - _store.Values.Address.Value, _store.Gradient("3.0.weight").Address.Value - _store.Gradients.Address.Value);
    }

    [Fact]
    public void Load_MissingTensor_NamesIt()
    {
        Dictionary<string, float[]> tensors = Tensors();
        tensors.Remove("0.2.bias");
        Assert.Equal("the parameter 0.2.bias is missing", Assert.Throws<ArgumentException>(() => _store.Load(tensors)).Message);
    }

    [Fact]
    public void Load_UnknownTensors_NamesThem()
    {
        Dictionary<string, float[]> tensors = Tensors();
        tensors.Add("9.0.weight", [1]);
        tensors.Add("0.0.Weight", [1]);
        Assert.Equal(
            "the network has no parameter 9.0.weight, 0.0.Weight", Assert.Throws<ArgumentException>(() => _store.Load(tensors)).Message);
    }

    [Fact]
    public void Load_WrongLength_NamesBothAndChangesNothing()
    {
        Dictionary<string, float[]> before = Tensors(), tensors = Tensors(2);
        _store.Load(before);
        tensors["3.4.bias"] = new float[4];

        var error = Assert.Throws<ArgumentException>(() => _store.Load(tensors));

        Assert.Equal("3.4.bias has 4 elements, expected 3 (3)", error.Message);
        Assert.All(_store.DownloadValues(), tensor => Assert.Equal(before[tensor.Key], tensor.Value));
    }

    [Fact]
    public void Value_UnknownName_Throws()
    {
        Assert.Equal("the network has no parameter 1.0.weight", Assert.Throws<ArgumentException>(() => _store.Value("1.0.weight")).Message);
        Assert.Throws<ArgumentException>(() => _store.Gradient(""));
    }

    [Fact]
    public void Initialize_Parameters_AreThoseOfTheirNames()
    {
        Initialization initialization = Initialization.Xavier with { OutputScale = 0.5 };
        _store.Initialize(initialization, 7);
        Dictionary<string, float[]> values = _store.DownloadValues();
        foreach (Parameter parameter in _store.Parameters)
            Assert.Equal(initialization.Draw(parameter, parameter.Name.StartsWith("3.4.", StringComparison.Ordinal), 7), values[parameter.Name]);
    }

    [Fact]
    public void Initialize_Momentum_IsCleared()
    {
        using var fixture = new OperatorFixture();
        var sgd = new SgdStep(fixture.Stream, _store.FlatCount, new SgdSettings(Momentum: 0.5));
        float[] gradient = [.. Enumerable.Repeat(1f, (int)_store.FlatCount)];
        sgd.Run(fixture.Upload<float>(gradient), fixture.Upload<StepState>([new StepState(1, 0)]), _store.Values, _store.Momentum);
        Assert.Equal(gradient, fixture.Download<float>(_store.Momentum));

        _store.Initialize(Initialization.He, 1);

        Assert.Equal(new float[_store.FlatCount], fixture.Download<float>(_store.Momentum));
    }

    [Fact]
    public void Create_ArchitectureWithoutBlock_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new ParameterStore(TestDevice.Shared, new Architecture("empty", 1, 3, [new GlobalAveragePool(), new Flatten()])));

    private Dictionary<string, float[]> Tensors(ulong seed = 1) =>
        _store.Parameters.ToDictionary(parameter => parameter.Name, parameter => TestNumbers.Uniform(parameter.Count, -1, 1, seed + (ulong)parameter.Offset));
}
