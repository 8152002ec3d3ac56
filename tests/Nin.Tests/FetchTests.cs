using System.Security.Cryptography;
using NinCudnn.Data;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin data fetch</c> from a server on the loopback interface.</summary>
public sealed class FetchTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Fetch_WrongContent_NamesBothHashesAndKeepsNothing()
    {
        DatasetFile images = KnownDatasets.FashionMnist.TrainImages;
        var content = new byte[images.ContentBytes]; // the right length, so that it is the hash that differs
        using LoopbackServer server = ServerOf(IdxBytes.Gzip(content));

        Fetch(server, "fashion-mnist").Failed(1, images.Name, images.Sha256!, Convert.ToHexStringLower(SHA256.HashData(content)));

        Assert.Empty(_root.Files());
    }

    [Fact]
    public void Fetch_WrongLength_NamesBothAndKeepsNothing()
    {
        using LoopbackServer server = ServerOf(IdxBytes.Images(1, 2, 3));

        Fetch(server, "fashion-mnist").Failed(1, "train-images-idx3-ubyte.gz", "22 bytes", "47040016");

        Assert.Empty(_root.Files());
    }

    [Fact]
    public void Fetch_ArchiveOfAnotherLength_NamesBothAndKeepsNothing()
    {
        using var server = LoopbackServer.Of(new Dictionary<string, byte[]> { ["cifar-10-binary.tar.gz"] = CifarBytes.Small().Archive });

        Fetch(server, "cifar10").Failed(1, "/cifar-10-binary.tar.gz: ", "170052171");

        Assert.Empty(_root.Files());
    }

    [Fact]
    public void Fetch_RightContent_IsKeptTheSecondTime()
    {
        string directory = FashionMnist.Require();
        using LoopbackServer server = LoopbackServer.Of(KnownDatasets.FashionMnist.Files.ToDictionary(
            file => file.Name, file => File.ReadAllBytes(file.FindIn(directory)!)));

        ProgramResult first = Fetch(server, "fashion-mnist").Succeeded(), second = Fetch(server, "fashion-mnist").Succeeded();

        Assert.Equal(KnownDatasets.FashionMnist.Files.Select(file => file.Name).Order(), _root.Files());
        Assert.Equal(4, server.Requests.Count);
        Assert.Equal($"Fashion-MNIST is in {_root.Path}", first.Lines[^1]);
        Assert.Equal(KnownDatasets.FashionMnist.Files.Select(file => $"{file.Name}: already there"), second.Lines[..^1]);
    }

    [Fact]
    public void Fetch_Interrupted_KeepsNothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        using var asked = new SemaphoreSlim(0);
        using var over = new CancellationTokenSource();
        using var server = new LoopbackServer(async (_, _) =>
        {
            asked.Release();
            await Task.Delay(Timeout.Infinite, over.Token).ContinueWith(_ => { }, TaskScheduler.Default); // never answers
        });
        using NinProgram program = NinProgram.Start("data", "fetch", "--from", server.Address.AbsoluteUri, "--output", _root.Path);
        Assert.True(asked.Wait(TimeSpan.FromMinutes(1)), "no request came");

        program.Signal("INT");
        ProgramResult result = program.WaitForExit();
        over.Cancel();

        Assert.Equal(130, result.ExitCode);
        Assert.Equal("nin: stopping; once more to stop at once\nnin: interrupted\n", result.Errors);
        Assert.Empty(_root.Files());
    }

    private static LoopbackServer ServerOf(byte[] content) =>
        LoopbackServer.Of(KnownDatasets.FashionMnist.Files.ToDictionary(file => file.Name, _ => content));

    private ProgramResult Fetch(LoopbackServer server, string dataset) =>
        NinProgram.Run("data", "fetch", "--dataset", dataset, "--from", server.Address.AbsoluteUri, "--output", _root.Path);
}
