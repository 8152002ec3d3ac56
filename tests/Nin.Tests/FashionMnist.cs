using NinCudnn.Data;
using Xunit;

namespace Nin.Tests;

/// <summary>The real data set, which a machine may lack.</summary>
internal static class FashionMnist
{
    /// <summary>The directory with its files; skips the test if there is none.</summary>
    public static string Require()
    {
        try
        {
            return new DatasetLocator().Locate(KnownDatasets.FashionMnist);
        }
        catch (FileNotFoundException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }
}
