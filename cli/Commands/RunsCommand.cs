using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Runs;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin runs</c></summary>
internal static class RunsCommand
{
    private const string DefaultFolder = "runs";

    public static Command Create() =>
        new("runs", "Lists, shows and compares earlier trainings.") { CreateList(), CreateShow(), CreateCompare() };

    private static Command CreateList()
    {
        Argument<string> folder = new("folder") { Description = "The folder with the runs' directories.", DefaultValueFactory = _ => DefaultFolder };
        Option<bool> json = SharedOptions.Json();
        var list = new Command("list", "Lists the runs in a folder, the oldest first.") { folder, json };
        list.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(folder);
            var runs = new List<SavedRun>();
            bool isComplete = true;
            foreach (string directory in Directory.EnumerateDirectories(path).Where(directory => File.Exists(RunDocument.PathIn(directory))))
            {
                try
                {
                    runs.Add(SavedRun.Load(directory));
                }
                catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
                {
                    Failure.Write(e.Message);
                    isComplete = false;
                }
            }
            runs.Sort((a, b) => (a.Run.Started, a.Name).CompareTo((b.Run.Started, b.Name)));
            if (parsed.GetValue(json))
                runs.ForEach(WriteJson);
            else
                WriteTable(runs);
            return isComplete ? ExitCode.Success : ExitCode.Failure;
        });
        return list;
    }

    private static Command CreateShow()
    {
        Argument<string> name = RunArgument();
        Option<bool> json = SharedOptions.Json();
        var show = new Command("show", "Shows a run: what was asked for, what it ran on, what came out.") { name, json };
        show.SetAction(parsed =>
        {
            SavedRun saved = Find(parsed.GetRequiredValue(name));
            if (parsed.GetValue(json))
            {
                WriteJson(saved);
                return;
            }
            RunDocument run = saved.Run;
            IEnumerable<(string Name, string Value)> facts =
            [
                ("run", saved.Directory),
                ("started", When(run.Started, "yyyy-MM-dd HH:mm:ss")),
                ("command", $"nin {string.Join(' ', run.CommandLine)}"),
                ("device", $"{run.Device.Name} ({run.Start.DeviceReason})"),
                .. RunText.Options(run),
                .. RunText.Data(run),
                .. RunText.Versions(run),
                .. RunText.Result(run),
            ];
            if (run.Failure is { } failure)
                facts = facts.Append(("failure", failure));
            foreach (var (heading, fact) in facts)
                Console.WriteLine($"{heading,-24}{fact}");
            if (saved.ReadEpochs() is { Length: > 0 } epochs)
            {
                Console.WriteLine();
                TextTable.Write(
                    Console.Out, ["epoch", "train loss", "train acc", "test loss", "test acc", "samples/s"],
                    [
                        .. epochs.Select(epoch => (string[])
                        [
                            epoch.Epoch.ToString(CultureInfo.InvariantCulture), ConfusionText.Share(epoch.TrainLoss), ConfusionText.Share(epoch.TrainAccuracy),
                            ConfusionText.Share(epoch.TestLoss), ConfusionText.Share(epoch.TestAccuracy),
                            epoch.SamplesPerSecond.ToString("0", CultureInfo.InvariantCulture),
                        ]),
                    ],
                    firstNumber: 0);
            }
        });
        return show;
    }

    private static Command CreateCompare()
    {
        Argument<string[]> names = new("runs") { Description = RunArgument().Description + " Two or more.", Arity = new ArgumentArity(2, 100) };
        names.CompletionSources.Add(RunNames);
        Option<bool> json = SharedOptions.Json();
        var compare = new Command("compare", "Shows side by side where runs differ, and what came out.") { names, json };
        compare.SetAction(parsed =>
        {
            SavedRun[] runs = [.. parsed.GetRequiredValue(names).Select(Find)];
            (string Name, string[] Values)[] differences =
            [
                .. Rows(run => [.. RunText.Options(run), .. RunText.Data(run), ("device", run.Device.Name), .. RunText.Versions(run)])
                    .Where(row => row.Values.Distinct().Count() > 1),
            ];
            (string Name, string[] Values)[] results = [.. Rows(RunText.Result)];
            if (parsed.GetValue(json))
            {
                var comparison = new RunComparison(
                    [.. runs.Select(run => run.Directory)], differences.ToDictionary(row => row.Name, row => row.Values),
                    [.. runs.Select(run => run.Run.End)]);
                Console.WriteLine(JsonSerializer.Serialize(comparison, RunLineContext.Default.RunComparison));
                return;
            }
            string[] header = ["", .. runs.Select(run => run.Name)], rule = [.. header.Select(_ => "")];
            TextTable.Write(
                Console.Out, header, [.. differences.Select(Cells), .. differences.Length > 0 ? [rule] : Array.Empty<string[]>(), .. results.Select(Cells)],
                firstNumber: header.Length);

            // A sequence of names and values that all runs have in the same order; what some lack goes by the first that has it.
            IEnumerable<(string Name, string[] Values)> Rows(Func<RunDocument, IReadOnlyList<(string Name, string Value)>> facts)
            {
                Dictionary<string, string>[] values = [.. runs.Select(run => facts(run.Run).ToDictionary(fact => fact.Name, fact => fact.Value))];
                return values.SelectMany(run => run.Keys).Distinct().Select(name => (name, values.Select(run => run.GetValueOrDefault(name, "-")).ToArray()));
            }

            static string[] Cells((string Name, string[] Values) row) => [row.Name, .. row.Values];
        });
        return compare;
    }

    private static Argument<string> RunArgument()
    {
        var run = new Argument<string>("run") { Description = $"A run's directory, or its name in ./{DefaultFolder}." };
        run.CompletionSources.Add(RunNames);
        return run;
    }

    private static IEnumerable<string> RunNames(CompletionContext context) =>
        Directory.Exists(DefaultFolder) ? Directory.EnumerateDirectories(DefaultFolder).Select(path => Path.GetFileName(path)) : [];

    private static SavedRun Find(string name)
    {
        string named = Path.Combine(DefaultFolder, name), directory = !Directory.Exists(name) && Directory.Exists(named) ? named : name;
        return SavedRun.Load(directory);
    }

    private static void WriteTable(IReadOnlyList<SavedRun> runs) => TextTable.Write(
        Console.Out, ["run", "started", "recipe", "device", "epochs", "test acc", "samples/s", "status"],
        [
            .. runs.Select(saved => (string[])
            [
                saved.Name, When(saved.Run.Started, "yyyy-MM-dd HH:mm"), saved.Run.Start.Recipe, saved.Run.Device.Name,
                string.Create(CultureInfo.InvariantCulture, $"{saved.Run.End?.Epoch ?? 0}/{saved.Run.Start.Epochs}"), ConfusionText.Share(saved.Run.End?.TestAccuracy),
                saved.Run.End?.SamplesPerSecond.ToString("0", CultureInfo.InvariantCulture) ?? "-", saved.Run.Status,
            ]),
        ],
        firstNumber: 4);

    private static void WriteJson(SavedRun run) =>
        Console.WriteLine(JsonSerializer.Serialize(new RunLine(run.Directory, run.Run), RunLineContext.Default.RunLine));

    private static string When(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);
}
