using System.Text;
using NinCudnn.Cli.Plots;
using NinCudnn.Formats;

namespace NinCudnn.Cli.Reports;

/// <summary>Writes what people look at after a run: <c>curves.png</c> and <c>report.html</c> in its directory.</summary>
internal static class RunReport
{
    public const string CurvesName = "curves.png";
    public const string PageName = "report.html";

    public static void Write(ReportContent content)
    {
        string curves = Path.Combine(content.Directory, CurvesName);
        CurvesPlot.Save(curves, content.History, content.Run.Start.Epochs);
        using var page = new AtomicFile(Path.Combine(content.Directory, PageName));
        page.Stream.Write(Encoding.UTF8.GetBytes(ReportPage.Create(content, File.ReadAllBytes(curves)).Text));
        page.Finish();
        page.Commit();
    }
}
