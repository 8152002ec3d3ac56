using System.Diagnostics;
using System.Text;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary>Checkpoints that can't be written: one line that says which and why, exit code 1, and those before are whole.</summary>
[Trait("Modes", "all")]
public sealed class CheckpointFailureTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly string[] _arguments;
    private readonly string _run;
    private bool _isMounted;

    public CheckpointFailureTests()
    {
        // 34,000 parameters: a checkpoint of two float32 for each takes 290 kB.
        string network = _root.Write("net.json", Encoding.UTF8.GetBytes(TinyData.SmallNetwork.Replace("\"channels\": 8", "\"channels\": 600", StringComparison.Ordinal)));
        _arguments =
        [
            "train", "--data", TinyData.Write(_root), "--arch", network, "--recipe", "quick", "--resize", "16", "--batch", "16", "--device", "cpu", "--no-report",
        ];
        _run = _root.File("disk/run");
        Directory.CreateDirectory(_root.File("disk"));
    }

    public void Dispose()
    {
        if (_isMounted)
            Call("umount", _root.File("disk"));
        _root.Dispose();
    }

    [Fact]
    public void Train_DiskFull_FailsAndGoesOnWhenThereIsRoom()
    {
        Mount("size=800k");

        NinProgram.Run([.. _arguments, "--epochs", "4", "--output", _run]).Failed(1, $"the checkpoint {_run}/checkpoints/step-", "No space left on device");

        AssertWhole(mostSteps: 8);
        Assert.Equal("failed", FinishedRun.Document(_run)["status"]!.GetValue<string>());
        Call("mount", "-o", "remount,size=10m", _root.File("disk"));
        NinProgram.Run("train", "--resume", _run).Succeeded();
        NinProgram.Run([.. _arguments, "--epochs", "4", "--output", _root.File("whole")]).Succeeded();
        FinishedRun.AssertEqual(_root.File("whole"), _run);
    }

    [Fact]
    public void Resume_ReadOnlyDisk_IsRefusedAndLeavesAllAsItWas()
    {
        Mount("size=10m");
        NinProgram.Run([.. _arguments, "--epochs", "1", "--output", _run]).Succeeded();
        Call("mount", "-o", "remount,ro", _root.File("disk"));

        NinProgram.Run("train", "--resume", _run).Failed(1, $"{_run} can't be written", "Read-only file system");

        AssertWhole(mostSteps: 4);
    }

    [Fact]
    public void Resume_ReadOnlyDirectory_IsRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "root may write anywhere");
        NinProgram.Run([.. _arguments, "--epochs", "1", "--output", _run]).Succeeded();
        string checkpoints = Path.Combine(_run, "checkpoints");
        Call("chmod", "500", checkpoints);
        try
        {
            NinProgram.Run("train", "--resume", Path.Combine(checkpoints, "step-0000000000.safetensors")).Failed(1, $"directory {checkpoints} can't be written");
            AssertWhole(mostSteps: 4);
        }
        finally
        {
            Call("chmod", "700", checkpoints);
        }
    }

    [Theory]
    [InlineData("checkpoints")]
    [InlineData("")]
    public void Train_DirectoryRemoved_Fails(string name)
    {
        using NinProgram program = NinProgram.Start([.. _arguments, "--epochs", "1000000", "--json", "--output", _run]);
        program.WaitForLine("\"event\":\"epoch\"");

        string removed = Path.Combine(_run, name);
        Directory.Move(removed, _root.File("removed")); // at once, while a file may be written in it

        program.WaitForExit().Failed(1, $"the checkpoint {_run}/checkpoints/step-", "Could not find");
    }

    [Fact]
    public void Train_FileSizeLimit_FailsAndLeavesNothingHalfWritten()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs ulimit");
        string limit = $"ulimit -f 100 && exec '{NinProgram.Path}' {string.Join(' ', _arguments.Select(word => $"'{word}'"))} --output '{_run}'";
        // The runtime itself makes a large file in memory otherwise.
        using NinProgram program = NinProgram.Start(null, [("DOTNET_EnableWriteXorExecute", "0")], "/bin/bash", "-c", limit);

        program.WaitForExit().Failed(1, $"the checkpoint {_run}/checkpoints/step-0000000000.safetensors can't be written: The limit of file sizes is exceeded");

        Assert.Empty(Directory.GetFiles(Path.Combine(_run, "checkpoints")));
    }

    /// <summary>All checkpoints that there are can be read, and there are some, and nothing else.</summary>
    private void AssertWhole(int mostSteps)
    {
        var directory = new CheckpointDirectory(Path.Combine(_run, "checkpoints"));
        Assert.NotEmpty(directory.Files);
        Assert.All(directory.Files, path => Assert.InRange(TrainingCheckpoint.Load(path).Position.Step, 0, mostSteps));
        Assert.Equal(directory.Files.Count, Directory.GetFileSystemEntries(directory.Path).Length);
    }

    private void Mount(string options)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "mounts a small disk, which takes root");
        _isMounted = Call("mount", "-t", "tmpfs", "-o", options, "tmpfs", _root.File("disk"));
        Assert.SkipUnless(_isMounted, "this machine lets nobody mount");
    }

    private static bool Call(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
