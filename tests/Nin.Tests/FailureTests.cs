using System.Runtime.InteropServices;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary>Files and devices that aren't as they should be: exit code 1 and one line that says which and why.</summary>
public sealed class FailureTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly string _data;

    public FailureTests() => _data = TinyData.Write(_root);

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Train_NoDataDirectory_SaysWhereToGetTheData()
    {
        Train(_root.File("nowhere")).Failed(1, $"{_root.File("nowhere")} does not exist", "nin data fetch", "apt-get install dataset-fashion-mnist");

        Assert.False(Directory.Exists(_root.File("run")));
    }

    [Fact]
    public void Train_MissingFile_IsNamed()
    {
        File.Delete(_root.File("data/t10k-labels-idx1-ubyte"));

        Train(_data).Failed(1, $"{_data} lacks t10k-labels-idx1-ubyte.gz");
    }

    [Fact]
    public void Train_TruncatedImages_IsNamed()
    {
        string path = _root.File("data/train-images-idx3-ubyte");
        _root.Write("data/train-images-idx3-ubyte", File.ReadAllBytes(path)[..^1]);

        Train(_data).Failed(1, path);
    }

    [Fact]
    public void Train_TruncatedGzip_IsNamed()
    {
        string path = _root.File("data/train-images-idx3-ubyte");
        byte[] whole = IdxBytes.Gzip(File.ReadAllBytes(path));
        File.Delete(path);
        _root.Write("data/train-images-idx3-ubyte.gz", whole[..(whole.Length / 2)]);

        Train(_data).Failed(1, path + ".gz");
    }

    [Fact]
    public void Train_NotIdx_IsNamed()
    {
        string path = _root.Write("data/train-images-idx3-ubyte", "<html>404</html>"u8);

        Train(_data).Failed(1, path);
    }

    [Fact]
    public void Train_LabelOutOfRange_SaysWhere()
    {
        string path = _root.Write("data/t10k-labels-idx1-ubyte", IdxBytes.Labels([.. Enumerable.Repeat((byte)9, TinyData.TestCount - 1), 10]));

        Train(_data).Failed(1, path, $"label 10 at offset {8 + TinyData.TestCount - 1}");
    }

    [Fact]
    public void Train_OutOfAnotherRun_LeavesItAlone()
    {
        string metrics = _root.Write("run/metrics.jsonl", "{}\n"u8);

        Train(_data).Failed(1, $"{_root.File("run")} holds another run (metrics.jsonl); choose another --output");

        Assert.Equal("{}\n", File.ReadAllText(metrics));
        Assert.Equal(["metrics.jsonl"], Directory.GetFiles(_root.File("run")).Select(Path.GetFileName));
    }

    [Fact]
    public void Train_OutIsAFile_IsRefused()
    {
        _root.Write("run", "mine"u8);

        Train(_data).Failed(1, $"{_root.File("run")} is a file; --output must be a directory");
    }

    [Fact]
    public void Train_OutNotWritable_IsNamed()
    {
        Assert.SkipUnless(Directory.Exists("/proc"), "needs a file system that nobody, not even root, can write to");

        NinProgram.Run([.. TinyData.TrainArguments(_data), "--output", "/proc/run"]).Failed(1, "/proc/run can't be written");
    }

    [Fact]
    public void Train_CudaWithoutDriver_SaysWhatWasTriedAndWhatToInstall()
    {
        bool hasDriver = NativeLibrary.TryLoad("libcuda.so.1", out nint driver);
        if (hasDriver)
            NativeLibrary.Free(driver);
        Assert.SkipWhen(hasDriver, "this machine has NVIDIA's driver");

        NinProgram.Run("train", "--data", _data, "--resize", "68", "--device", "cuda", "--output", _root.File("run")).Failed(
            1, "the CUDA driver could not be loaded", "Tried: libcuda.so.1 (system loader): ", "Install NVIDIA's driver");

        Assert.False(Directory.Exists(_root.File("run")));
    }

    [Fact]
    public void Train_CudaWithoutVisibleGpu_Fails() =>
        NinProgram.Run("train", "--data", _data, "--resize", "68", "--device", "cuda:0", "--output", _root.File("run")).Failed(1, "CUDA");

    [Fact]
    public void Train_HostLibraryMissing_SaysWhereItWasLookedFor() =>
        TrainWith(("NIN_HOST_LIBRARY", "/nowhere/libnin_host.so")).Failed(
            1, "/nowhere/libnin_host.so (NIN_HOST_LIBRARY): no such file", "scripts/build-native.sh");

    [Fact]
    public void Train_HostLibraryIsNoLibrary_SaysSo()
    {
        string path = _root.Write("libnin_host.so", "text"u8);

        TrainWith(("NIN_HOST_LIBRARY", path)).Failed(1, $"{path} (NIN_HOST_LIBRARY): ");
    }

    [Fact]
    public void Eval_NoSuchModel_IsNamed() => Eval(_root.File("nothing.safetensors")).Failed(1, _root.File("nothing.safetensors"));

    [Fact]
    public void Eval_DirectoryWithoutModel_IsNamed() => Eval(_data).Failed(1, $"{_data} holds no model.safetensors");

    [Fact]
    public void Fetch_ServerWithoutTheFiles_NamesAddressAndAnswer()
    {
        using LoopbackServer server = LoopbackServer.Of(new Dictionary<string, byte[]>());

        Fetch(server.Address).Failed(1, $"{server.Address}/train-images-idx3-ubyte.gz", "404");
    }

    [Fact]
    public void Fetch_NoServer_NamesTheAddress()
    {
        Uri address;
        using (LoopbackServer server = LoopbackServer.Of(new Dictionary<string, byte[]>()))
            address = server.Address; // nothing listens there any more

        Fetch(address).Failed(1, $"{address}/train-images-idx3-ubyte.gz");
    }

    private ProgramResult Train(string data) => NinProgram.Run([.. TinyData.TrainArguments(data), "--output", _root.File("run")]);

    private ProgramResult TrainWith((string Name, string? Value) variable) =>
        NinProgram.RunIn(null, [variable], "train", "--data", _data, "--resize", "68", "--output", _root.File("run"));

    private ProgramResult Eval(string checkpoint) => NinProgram.Run("eval", "--checkpoint", checkpoint, "--data", _data, "--device", "cpu");

    private ProgramResult Fetch(Uri address) => NinProgram.Run("data", "fetch", "--from", address.AbsoluteUri, "--output", _root.File("fetched"));
}
