using Spectre.Console;

namespace NinCudnn.Cli.Output;

/// <summary>Shows how far the decoding of images is: a bar on a terminal, else a line for each tenth, or nothing beside JSON.</summary>
/// <param name="isLive">Whether standard output is a terminal that people look at.</param>
/// <param name="isJson">Whether it is for JSON only.</param>
/// <param name="stop">Stops the loading.</param>
internal sealed class LoadingReporter(bool isLive, bool isJson, CancellationToken stop)
{
    private const int Lines = 10;

    private ProgressTask? _task;

    public CancellationToken Stop => stop;

    /// <summary>Calls <paramref name="load"/>; a live display surrounds it.</summary>
    public T Around<T>(Func<T> load) => !isLive
        ? load()
        : AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).Start(context =>
        {
            _task = context.AddTask("reading images");
            return load();
        });

    /// <summary>So many of all images of a split are decoded. Comes from several threads, not in order.</summary>
    public void Decoded(int count, int total)
    {
        if (_task is { } task)
        {
            task.Description = $"decoding {total} images";
            task.MaxValue = total;
            task.Value = count;
        }
        else if (!isJson && (long)count * Lines / total != (long)(count - 1) * Lines / total)
        {
            Console.WriteLine($"decoded {count} of {total} images");
        }
    }

    /// <summary>A line for people, which is no result.</summary>
    public void Note(string message)
    {
        if (_task is not null)
            Terminal.WriteLine(AnsiConsole.Console, message);
        else
            Console.Error.WriteLine("nin: " + message);
    }
}
