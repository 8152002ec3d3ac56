using System.Globalization;
using System.Text;
using System.Text.Json;
using NinCudnn.Numerics;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary>
/// Kills <c>nin train</c> again and again at random moments and goes on each time. Whatever it was doing, every checkpoint can be read, no more is
/// lost than what came behind the last one, and in the end there is what an uninterrupted run gives. <c>NIN_KILLS</c> and <c>NIN_KILL_SEED</c> say
/// how often and when; <c>make kill-test KILLS=1000</c> is the long form.
/// </summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private const int DefaultKills = 100;
    private const int CheckpointEvery = 2; // steps, of which an epoch has four: a checkpoint is being written most of the time
    private const int Epochs = 60; // more than most processes get done, and no more than one needs a few seconds for
    private const int MostLines = 12;

    // What each chain of processes trains: all that a run has on the device, and both ways to it.
    private static readonly string[][] _chains =
    [
        ["--precision", "fp32", "--ema", "0.9", "--flip", "0.5", "--crop", "2"],
        ["--precision", "bf16", "--data-placement", "stream"],
        ["--precision", "fp16", "--ema", "0.9", "--data-placement", "stream"],
        ["--precision", "fp32", "--recipe", "seed", "--lr", "0.05"],
    ];

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Kill_AtRandomMoments_LosesNoMoreThanSinceTheLastCheckpoint()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends signals");
        Assert.SkipWhen(Environment.GetEnvironmentVariable("NIN_HOST_STREAMS") is "deferred" or "sync", "once is enough");
        int kills = Number("NIN_KILLS", DefaultKills), seed = Number("NIN_KILL_SEED", 1);
        string data = TinyData.Write(_root, testCount: 200), network = _root.Write("net.json", Encoding.UTF8.GetBytes(TinyData.SmallNetwork));
        var chains = _chains.Select((options, i) => new Chain(
            _root, $"chain{i}", (kills + _chains.Length - 1) / _chains.Length, new SplitMix64((ulong)(seed * 1000 + i)),
            [
                "train", "--data", data, "--arch", network, .. options.Contains("--recipe") ? [] : (string[])["--recipe", "quick"], "--resize", "16", "--batch", "16",
                "--device", "cpu", "--no-report", "--checkpoint-every", $"{CheckpointEvery}", "--json", .. options,
            ])).ToArray();

        output.WriteLine($"seed {seed}");
        try
        {
            Parallel.ForEach(chains, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, chain => chain.Run());
        }
        finally
        {
            foreach (Chain chain in chains)
                output.WriteLine(chain.Log);
        }
        output.WriteLine($"{chains.Sum(chain => chain.Kills)} kills, {chains.Sum(chain => chain.InWrites)} while a file was being written, {chains.Sum(chain => chain.InEvaluations)} in an evaluation");
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>One run that many processes bring to its end, most of them killed.</summary>
    private sealed class Chain(TemporaryDirectory root, string name, int kills, SplitMix64 random, string[] arguments)
    {
        private readonly StringBuilder _log = new();
        private readonly string _directory = root.File(name);
        private readonly CheckpointDirectory _checkpoints = new(root.File($"{name}/checkpoints"));
        private SplitMix64 _random = random;

        public int Kills { get; private set; }

        /// <summary>Kills that left a temporary file.</summary>
        public int InWrites { get; private set; }

        /// <summary>Kills between an epoch's last step and its result.</summary>
        public int InEvaluations { get; private set; }

        public string Log => _log.ToString();

        public void Run()
        {
            string[] all = [.. arguments, "--epochs", $"{Epochs}"];
            NinProgram.Run([.. all, "--output", _directory + "-whole"]).Succeeded();
            while (Kills < kills)
            {
                if (KillOne(all))
                    Kills++;
                else
                    Finish(all); // and begin another run
            }
            Finish(all);
        }

        private void Finish(string[] all)
        {
            using (NinProgram last = Start(all))
                last.WaitForExit().Succeeded();
            FinishedRun.AssertEqual(_directory + "-whole", _directory);
            Assert.Empty(Directory.GetFiles(_directory, ".*", SearchOption.AllDirectories)); // nothing temporary
            Directory.Delete(_directory, recursive: true);
        }

        /// <returns>Whether it was killed before it came to its end.</returns>
        private bool KillOne(string[] all)
        {
            long before = Newest();
            // Half of them at any time, beginning with the program's start; half behind a step or an epoch that was told, in the thick of it.
            bool isTimed = Below(2) == 0;
            int lines = isTimed ? 0 : 1 + Below(MostLines), delayMs = isTimed ? Below(1200) : Below(15);
            string signal = ((string[])["KILL", "KILL", "TERM", "INT"])[Below(4)];
            bool isTwice = signal != "KILL" && Below(3) == 0; // the second one while it saves
            int twiceMs = Below(20);
            _log.AppendLine(CultureInfo.InvariantCulture, $"{name} {Kills}: from step {before}, {lines} lines and {delayMs} ms, {signal}{(isTwice ? $", KILL after {twiceMs} ms" : "")}");

            using NinProgram program = Start(all);
            for (int i = 0; i < lines && program.TryReadLine() is { } line; i++)
            {
                if (i == 0)
                    Assert.Equal(Math.Max(before, 0), JsonElement.Parse(line).GetProperty("step").GetInt64());
            }
            Thread.Sleep(delayMs);
            program.TrySignal(signal);
            if (isTwice)
            {
                Thread.Sleep(twiceMs);
                program.TrySignal("KILL");
            }
            ProgramResult result = program.WaitForExit();

            // 128 and the signal's number, unless it came in time to save, or too late.
            Assert.True(result.ExitCode is 0 or 130 or 137 or 143, $"exit code {result.ExitCode}\n{Log}\n{result.Errors}");
            foreach (string path in _checkpoints.Files)
                TrainingCheckpoint.Load(path);
            long now = Newest(), told = result.Events.Where(e => e.GetProperty("event").GetString() == "progress").Select(e => e.GetProperty("step").GetInt64()).LastOrDefault();
            Assert.True(now >= before && now > told - 2 * CheckpointEvery, $"step {now} is all that is left of {told}, at first {before}\n{Log}");
            if (Directory.Exists(_directory) && Directory.GetFiles(_directory, "*.tmp", SearchOption.AllDirectories).Length > 0)
                InWrites++;
            if (result.Events.LastOrDefault() is { ValueKind: JsonValueKind.Object } last && last.TryGetProperty("step_in_epoch", out JsonElement step) && step.GetInt32() == 4)
                InEvaluations++;
            if (result.Output.Contains("\"event\":\"end\"", StringComparison.Ordinal))
                Assert.Equal(result.Events[^1].GetProperty("step").GetInt64(), now);
            return !result.Output.Contains("\"stopped\":false", StringComparison.Ordinal);
        }

        /// <summary>Goes on, or begins where nothing was written yet.</summary>
        private NinProgram Start(string[] all)
        {
            if (Newest() >= 0)
                return NinProgram.Start("train", "--resume", _directory, "--json");
            if (Directory.Exists(_directory))
                Directory.Delete(_directory, recursive: true);
            return NinProgram.Start([.. all, "--output", _directory]);
        }

        private long Newest() => _checkpoints.LoadNewest()?.Checkpoint.Position.Step ?? -1;

        private int Below(int end) => (int)(_random.NextUInt64() % (ulong)end);
    }
}
