using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>The choice between providers whose state is given, so on any machine.</summary>
public class ProviderSelectorTests
{
    private static readonly NativeLibraryException _noDriver = NativeLibraryException.NotFound(
        NativeProvider.Cuda, NativeLibraryNames.Cuda, [new("libcuda.so.1", "system loader", "cannot open shared object file")]);

    private static readonly NativeLibraryException _noHost = NativeLibraryException.NotFound(
        NativeProvider.Host, NativeLibraryNames.Cuda, [new("/app/libnin_host.so", "program directory", "no such file")]);

    private readonly List<NativeProvider> _probed = [];

    [Fact]
    public void Select_AutoWithGpu_TakesCuda()
    {
        var selection = Selector(Cuda(gpus: 1), Host()).Select(DeviceRequest.Auto);

        Assert.Equal(NativeProvider.Cuda, selection.Provider);
        Assert.Equal(0, selection.Ordinal);
        Assert.Equal("auto: GPU 0 and all of NVIDIA's libraries were found", selection.Reason);
        Assert.Equal([NativeProvider.Cuda], _probed);
    }

    [Fact]
    public void Select_AutoWithoutCuda_TakesTheHostAndSaysWhatFailedFirst()
    {
        var selection = Selector(Cuda(gpus: 0, _noDriver), Host()).Select(DeviceRequest.Auto);

        Assert.Equal(NativeProvider.Host, selection.Provider);
        Assert.Equal(
            "auto: CUDA can't be used, the CUDA driver could not be loaded (libcuda.so.1: cannot open shared object file)",
            selection.Reason);
    }

    [Fact]
    public void Select_AutoWithNeither_ThrowsBothReasons()
    {
        var exception = Assert.Throws<NativeLibraryException>(
            () => Selector(Cuda(gpus: 0, _noDriver), Host(_noHost)).Select(DeviceRequest.Auto));

        Assert.StartsWith("neither provider can be used: ", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["libcuda.so.1", "/app/libnin_host.so"], exception.Attempts.Select(attempt => attempt.Target));
    }

    [Fact]
    public void Select_CudaThatCannotBeHad_ThrowsInsteadOfTakingTheHost()
    {
        var selector = Selector(Cuda(gpus: 0, _noDriver), Host());

        Assert.Same(_noDriver, Assert.Throws<NativeLibraryException>(() => selector.Select(DeviceRequest.Cuda(0))));
        Assert.Equal([NativeProvider.Cuda], _probed);
    }

    [Fact]
    public void Select_AfterAFailure_IsStillFree()
    {
        var selector = Selector(Cuda(gpus: 0, _noDriver), Host());
        Assert.Throws<NativeLibraryException>(() => selector.Select(DeviceRequest.Cuda(0)));

        Assert.Null(selector.Current);
        Assert.Equal(NativeProvider.Host, selector.Select(DeviceRequest.Cpu).Provider);
    }

    [Fact]
    public void Select_Cpu_DoesNotTouchCuda()
    {
        var selection = Selector(Cuda(gpus: 1), Host()).Select(DeviceRequest.Cpu);

        Assert.Equal(NativeProvider.Host, selection.Provider);
        Assert.Equal("cpu was requested", selection.Reason);
        Assert.Equal([NativeProvider.Host], _probed);
    }

    [Fact]
    public void Select_SameRequestAgain_ReturnsTheSameSelection()
    {
        var selector = Selector(Cuda(gpus: 2), Host());
        var first = selector.Select(DeviceRequest.Cuda(1));

        Assert.Same(first, selector.Select(DeviceRequest.Cuda(1)));
        Assert.Same(first, selector.Select(DeviceRequest.Auto));
        Assert.Same(first, selector.Current);
        Assert.Equal([NativeProvider.Cuda], _probed);
    }

    [Fact]
    public void Select_AnotherDeviceOfTheSameProvider_IsAllowed()
    {
        var selector = Selector(Cuda(gpus: 2), Host());
        var first = selector.Select(DeviceRequest.Cuda(0));
        var second = selector.Select(DeviceRequest.Cuda(1));

        Assert.Equal(1, second.Ordinal);
        Assert.Same(first.Libraries, second.Libraries);
        Assert.Same(first, selector.Current);
    }

    [Theory]
    [InlineData("cuda", "cpu", "already uses the Cuda provider (cuda:0 was requested); it can't change to cpu")]
    [InlineData("cpu", "cuda:1", "already uses the Host provider (cpu was requested); it can't change to cuda:1")]
    [InlineData("auto", "cpu", "already uses the Cuda provider")]
    public void Select_TheOtherProvider_Throws(string first, string second, string text)
    {
        var selector = Selector(Cuda(gpus: 2), Host());
        var chosen = selector.Select(DeviceRequest.Parse(first));

        var exception = Assert.Throws<InvalidOperationException>(() => selector.Select(DeviceRequest.Parse(second)));
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        Assert.Same(chosen, selector.Current);
    }

    [Theory]
    [InlineData(1, "cuda:1 was requested, but there is only cuda:0")]
    [InlineData(3, "cuda:3 was requested, but there are only cuda:0 to cuda:2")]
    public void Select_DeviceThatDoesNotExist_SaysWhichDo(int gpus, string text)
    {
        var selector = Selector(Cuda(gpus), Host());

        Assert.Equal(text, Assert.Throws<NativeLibraryException>(() => selector.Select(DeviceRequest.Cuda(gpus))).Summary);
        Assert.Null(selector.Current);
        selector.Select(DeviceRequest.Cuda(0));
        Assert.Equal(text, Assert.Throws<NativeLibraryException>(() => selector.Select(DeviceRequest.Cuda(gpus))).Summary);
    }

    [Fact]
    public void Handle_BeforeAnyChoice_ChoosesAsForAuto()
    {
        var selector = Selector(Cuda(gpus: 0, _noDriver), Host());

        selector.Handle(NativeLibraryNames.Cudnn);

        Assert.Equal(NativeProvider.Host, selector.Current!.Provider);
        Assert.Throws<InvalidOperationException>(() => selector.Select(DeviceRequest.Cuda(0)));
    }

    private ProviderSelector Selector(ProviderProbe cuda, ProviderProbe host) => new(provider =>
    {
        _probed.Add(provider);
        return provider == NativeProvider.Cuda ? cuda : host;
    });

    private static ProviderProbe Cuda(int gpus, params NativeLibraryException[] failures) =>
        new(NativeProvider.Cuda, [.. Enumerable.Range(0, gpus).Select(Device)], [], failures);

    private static ProviderProbe Host(params NativeLibraryException[] failures) =>
        new(NativeProvider.Host, [Device(0)], [], failures);

    private static DeviceInfo Device(int ordinal) => new(ordinal, $"GPU {ordinal}", 1 << 30, new Version(8, 6));
}
