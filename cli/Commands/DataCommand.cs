using System.CommandLine;
using NinCudnn.Data;
using NinCudnn.Devices;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin data</c></summary>
internal static class DataCommand
{
    public static Command Create()
    {
        Option<KnownDataset> dataset = SharedOptions.Dataset();
        Option<DirectoryInfo?> directory = new("--to") { Description = "Where the files go. Without it ./data/<name>.", HelpName = "directory" };
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
            KnownDataset chosen = parsed.GetRequiredValue(dataset);
            string path = parsed.GetValue(directory)?.FullName ?? Path.Combine(Directory.GetCurrentDirectory(), "data", chosen.Name);
            using var interruption = new Interruption();
            await DatasetDownload.FetchAsync(chosen, path, parsed.GetValue(mirror), new FinishedFiles(), cancellationToken: interruption.Token);
            Console.WriteLine($"{chosen.Title} is in {path}");
            return ExitCode.Success;
        });
        return new Command("data", "Gets data sets.") { fetch };
    }

    private sealed class FinishedFiles : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            if (value.Stage == DownloadStage.Done)
                Console.WriteLine($"{value.FileName}: {ByteSize.Format(value.ReceivedBytes)}");
            else if (value.Stage == DownloadStage.Kept)
                Console.WriteLine($"{value.FileName}: already there");
        }
    }
}
