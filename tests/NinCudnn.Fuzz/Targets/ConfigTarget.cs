using System.CommandLine;
using NinCudnn.Cli;
using NinCudnn.Cli.Commands;
using NinCudnn.Cli.Settings;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Files of settings.</summary>
internal sealed class ConfigTarget() : FuzzTarget<ConfigFile>("config")
{
    private readonly RootCommand _root = [TrainCommand.Create(), EvalCommand.Create(), PredictCommand.Create(), ServeCommand.Create(), DataCommand.Create()];

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        """{"$schema": "x", "device": "cpu", "train": {"epochs": 3, "learning-rate": 0.05, "nesterov": true}, "data": {"fetch": {"output": "here"}}}"""u8.ToArray(),
        """{"eval": {"batch": 32}}"""u8.ToArray(),
    ];

    public override int ShortRun => 3000;

    public override Range Json(ReadOnlySpan<byte> input) => ..input.Length;

    protected override ConfigFile Read(string path) => ConfigFile.Read(path, _root);

    protected override string Shown(Exception refusal) => Failure.OneLine(refusal.Message);

    protected override bool IsRefusal(Exception exception) => exception is ArgumentException;

    protected override void Check(ConfigFile value, string path, byte[] input) =>
        Assert.All(value.For(_root.Subcommands[0]), setting => Assert.NotNull(setting.Text));
}
