using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Data;
using NinCudnn.Devices;
using Spectre.Console;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin data</c></summary>
internal static class DataCommand
{
    public static Command Create()
    {
        Option<string?> dataset = SharedOptions.Dataset();
        Option<DirectoryInfo?> directory = SharedOptions.Directory(new("--output") { Description = "Where the files go. Without it ./data/<name>." });
        Option<Uri?> mirror = new("--from")
        {
            Description = "A mirror's address to take instead of the official one.",
            HelpName = "address",
            CustomParser = result => SharedOptions.ParseOrReport<Uri?>(result, text =>
                Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
                    ? uri
                    : throw new FormatException($"'{text}' is not an http or https address")),
        };

        var fetch = new Command("fetch", "Downloads a data set and verifies every file.") { dataset, directory, mirror };
        fetch.SetAction(async (parsed, _) =>
        {
            KnownDataset chosen = KnownDatasets.Get(parsed.GetValue(dataset)!);
            string path = parsed.GetValue(directory)?.FullName ?? Path.Combine(Directory.GetCurrentDirectory(), "data", chosen.Name);
            using var interruption = new Interruption(Terminal.IsLive);
            if (Terminal.IsLive)
            {
                await AnsiConsole.Progress().AutoClear(true)
                    .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn())
                    .StartAsync(context => FetchAsync(new LiveDownload(context)));
            }
            else
            {
                await FetchAsync(new FinishedFiles());
            }
            Console.WriteLine($"{chosen.Title} is in {path}");
            return ExitCode.Success;

            Task FetchAsync(IProgress<DownloadProgress> progress) =>
                DatasetDownload.FetchAsync(chosen, path, parsed.GetValue(mirror), progress, cancellationToken: interruption.Token);
        });
        return new Command("data", "Lists, gets and describes data sets.") { CreateList(), fetch, CreateInfo() };
    }

    private static Command CreateList()
    {
        var list = new Command("list", "Lists the data sets that are known by name, and where they are.");
        list.SetAction(_ =>
        {
            var locator = new DatasetLocator();
            TextTable.Write(
                Console.Out, ["name", "images", "classes", "in"],
                [
                    .. KnownDatasets.All.Select(dataset => new[]
                    {
                        dataset.Name, dataset.Description, $"{dataset.ClassNames.Count}", locator.Find(dataset) ?? $"(nin data fetch --dataset {dataset.Name})",
                    }),
                ],
                firstNumber: 4);
        });
        return list;
    }

    private static Command CreateInfo()
    {
        var data = new DatasetOptions();
        var info = new Command("info", "Says what a data set, or a folder of your images, holds.");
        data.AddChoiceTo(info);
        info.SetAction(parsed =>
        {
            DataSummary summary = data.Parse(parsed).Summarize();
            foreach (var (heading, fact) in summary.Facts)
                Console.WriteLine($"{heading,-9}{fact}");
            Console.WriteLine(FormattableString.Invariant(
                $"images   {summary.TrainLabels.Length:N0} to train on, {summary.TestLabels.Length:N0} to test on, {summary.ClassNames.Count} classes"));
            Console.WriteLine();
            Dictionary<ushort, int> train = summary.TrainLabels.CountBy(label => label).ToDictionary(), test = summary.TestLabels.CountBy(label => label).ToDictionary();
            TextTable.Write(
                Console.Out, ["class", "train", "test"],
                [
                    .. summary.ClassNames.Select((name, label) => new[]
                    {
                        name, $"{train.GetValueOrDefault((ushort)label)}", $"{test.GetValueOrDefault((ushort)label)}",
                    }),
                ],
                firstNumber: 1);
        });
        return info;
    }

    private static string? Finished(DownloadProgress file) => file.Stage switch
    {
        DownloadStage.Done => $"{file.FileName}: {ByteSize.Format(file.ReceivedBytes)}",
        DownloadStage.Kept => $"{file.FileName}: already there",
        _ => null,
    };

    /// <summary>A line for each file, for logs and pipes.</summary>
    private sealed class FinishedFiles : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            if (Finished(value) is { } line)
                Console.WriteLine(line);
        }
    }

    /// <summary>The same lines above a bar for the file that is arriving.</summary>
    private sealed class LiveDownload(ProgressContext context) : IProgress<DownloadProgress>
    {
        private readonly ProgressTask _task = context.AddTask("connecting");

        public void Report(DownloadProgress value)
        {
            _task.Description = Markup.Escape(value.FileName);
            _task.IsIndeterminate = value.TotalBytes is null;
            _task.MaxValue = value.TotalBytes ?? value.ReceivedBytes + 1;
            _task.Value = value.ReceivedBytes;
            if (Finished(value) is { } line)
                Terminal.WriteLine(AnsiConsole.Console, line);
        }
    }
}
