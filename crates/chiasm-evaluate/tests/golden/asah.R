# Writes asah.csv: the aSAH data of pROC (Turck et al. 2010, Intensive Care Med 36:107-115;
# Robin et al. 2011, BMC Bioinformatics 12:77), 113 patients with subarachnoid haemorrhage.
#   Rscript asah.R
suppressMessages(library(pROC)); data(aSAH)
write.csv(data.frame(poor = as.integer(aSAH$outcome == "Poor"), age = aSAH$age,
  female = as.integer(aSAH$gender == "Female"), wfns = as.integer(aSAH$wfns), s100b = aSAH$s100b,
  ndka = aSAH$ndka), "asah.csv", row.names = FALSE, quote = FALSE)
